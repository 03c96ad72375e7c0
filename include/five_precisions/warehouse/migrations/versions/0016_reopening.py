"""Months closed by force, and months reopened, with who decided it and why (docs/intake.md#its-life)."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
alter table intake.close
add column forced_by text,
add column forced_reason text,
add constraint forced_by_whom_and_why check ((forced_by is null) = (forced_reason is null) and forced_reason <> '');
comment on column intake.close.forced_by is 'who closed the month although packages waited in the inbox; null where nobody had to';
comment on column intake.close.forced_reason is 'why';

create table intake.reopening (
    reopening_number bigint generated always as identity primary key,
    period text not null references registry.period (period),
    closed_at timestamptz not null,
    forced_by text,
    forced_reason text,
    reason text not null check (reason <> ''),
    reopened_by text not null,
    reopened_at timestamptz not null default clock_timestamp()
);
comment on table intake.reopening is 'closes that were taken back before the month was assessed; only added to';
comment on column intake.reopening.closed_at is 'of the close that was taken back, like forced_by and forced_reason';
create index reopening_period on intake.reopening (period, reopening_number);

-- A month before 2000 or after 2999 is a slip that was once accepted. Where nothing hangs on it, its close would keep
-- every later month waiting, and no command takes such a month any more.
create temporary table slip on commit drop as
select period
from registry.period
where
    period !~ '^2[0-9]{3}-(0[1-9]|1[0-2])$'
    and not exists (select from intake.submission where submission.period = registry.period.period)
    and not exists (select from intake.cross_check where cross_check.period = registry.period.period)
    and not exists (select from mart.run where run.period = registry.period.period);
delete from intake.frozen_report where period in (select slip.period from slip);
delete from intake.close where period in (select slip.period from slip);
delete from intake.seen_package where period in (select slip.period from slip);
delete from registry.deadline_move where period in (select slip.period from slip);
delete from registry.restatement_request where period in (select slip.period from slip);
delete from registry.period where period in (select slip.period from slip);
drop table slip;
"""

UNDO = """
drop table intake.reopening;
alter table intake.close
drop constraint forced_by_whom_and_why,
drop column forced_by,
drop column forced_reason;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
