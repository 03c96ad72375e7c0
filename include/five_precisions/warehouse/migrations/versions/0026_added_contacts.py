"""Contacts that ops add beside those of the files, and how often each rule has found something.

See docs/own-city.md#contacts-that-ops-add; docs/desk.md#pages.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = """
alter table registry.contact add column added_by text;
alter table registry.contact add column added_at timestamptz;
alter table registry.contact add column reason text;
alter table registry.contact add constraint added_by_whom_when_and_why
check (num_nulls(added_by, added_at, reason) in (0, 3) and reason <> '');
comment on column registry.contact.added_by is 'who of ops added it; null: contacts.csv names it';
comment on column registry.contact.added_at is 'when ops added it; null: contacts.csv names it';
comment on column registry.contact.reason is 'why ops added it, as they wrote it';

create table intake.finding_count (
    submission_id text not null,
    report text,
    rule text not null,
    level text not null,
    findings integer not null,
    unique nulls not distinct (submission_id, report, rule, level)
);
comment on table intake.finding_count is 'how often a rule has found something in a version or a check across reports; counts the rows of intake.finding as they are written';
comment on column intake.finding_count.submission_id is 'a receipt number: of intake.submission, or of intake.cross_check';
comment on column intake.finding_count.report is 'report that they are about; null: the package';
comment on column intake.finding_count.rule is 'code of the rule';
comment on column intake.finding_count.level is 'critical, warning or notice';
comment on column intake.finding_count.findings is 'how many';

-- Whoever writes findings, one by one or a million at once, they are counted in the same transaction.
create function intake.count_findings() returns trigger language plpgsql as $body$
begin
    insert into intake.finding_count (submission_id, report, rule, level, findings)
    select submission_id, report, rule, level, count(*)
    from written
    group by submission_id, report, rule, level
    on conflict (submission_id, report, rule, level)
    do update set findings = finding_count.findings + excluded.findings;
    return null;
end
$body$;
create trigger counted after insert on intake.finding
referencing new table as written
for each statement execute function intake.count_findings();

insert into intake.finding_count (submission_id, report, rule, level, findings)
select submission_id, report, rule, level, count(*)
from intake.finding
group by submission_id, report, rule, level;
"""

UNDO = """
drop trigger counted on intake.finding;
drop function intake.count_findings();
drop table intake.finding_count;
-- A contact without who added it would count as the files', whose next reading takes it away.
delete from registry.contact where added_at is not null;
alter table registry.contact drop constraint added_by_whom_when_and_why;
alter table registry.contact drop column reason;
alter table registry.contact drop column added_at;
alter table registry.contact drop column added_by;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
