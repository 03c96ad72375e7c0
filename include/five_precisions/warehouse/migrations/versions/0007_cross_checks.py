"""Checks across reports, months and institutions: where they are kept; explanations bound to values.

See docs/reports.md.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
create table intake.cross_check (
    submission_id text primary key,
    period text not null references registry.period (period),
    institution_code text not null references registry.institution (code),
    edition text not null,
    checked_at timestamptz not null,
    unique (period, institution_code, edition)
);
comment on table intake.cross_check is 'findings across reports and institutions (X04 to X10) that came up when no version of the institution was judged';
comment on column intake.cross_check.submission_id is 'the receipt number, period-institution-edition';
comment on column intake.cross_check.edition is 'close, or x1, x2, … before it';

alter table intake.finding drop constraint finding_submission_id_fkey;
alter table intake.finding add column explanation text;
comment on column intake.finding.submission_id is 'a receipt number: of intake.submission, or of intake.cross_check';
comment on column intake.finding.explanation is 'the explanation that stood for this value when it was found';

alter table intake.report add column places jsonb not null default '{}';
comment on column intake.report.places is 'column of the report: number of the column in the file, from 1';

create view intake.told_finding as
select
    receipt.period,
    receipt.institution_code,
    receipt.told_at,
    finding.*
from intake.finding
inner join (
    select submission_id, period, institution_code, recorded_at as told_at from intake.submission
    union all
    select submission_id, period, institution_code, checked_at as told_at from intake.cross_check
) as receipt
    on finding.submission_id = receipt.submission_id;
comment on view intake.told_finding is 'every finding with whom it was told to, for which month and when';

create table intake.taken_file (
    period text not null references registry.period (period),
    institution_code text not null references registry.institution (code),
    path text not null,
    identity text not null,
    primary key (period, institution_code, path)
);
comment on table intake.taken_file is 'files of recorded deliveries that are still to be taken out of the inbox: no delivery of their own';
comment on column intake.taken_file.identity is 'what changes when another file takes its place';

alter table intake.explanation add column value text, add column is_bound boolean not null default false;
comment on column intake.explanation.value is 'the value that it explains: it lapses when that changes';
comment on column intake.explanation.is_bound is 'whether its finding, and so its value, was known; if not, it stands for what its period still finds';
"""

UNDO = """
drop table intake.taken_file;
drop view intake.told_finding;
alter table intake.explanation drop column is_bound, drop column value;
alter table intake.report drop column places;
alter table intake.finding drop column explanation;
comment on column intake.finding.submission_id is null;
delete from intake.finding where submission_id in (select submission_id from intake.cross_check);
alter table intake.finding add foreign key (submission_id) references intake.submission (submission_id);
drop table intake.cross_check;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
