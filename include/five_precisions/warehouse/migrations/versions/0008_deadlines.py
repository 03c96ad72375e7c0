"""Deadlines that ops move, and the one place that says until when an institution may deliver.

See docs/intake.md#its-life.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
create table registry.deadline_move (
    move_number bigint generated always as identity primary key,
    period text not null references registry.period (period),
    institution_code text references registry.institution (code),
    deadline_at timestamptz not null,
    reason text not null check (reason <> ''),
    moved_at timestamptz not null default clock_timestamp()
);
comment on table registry.deadline_move is 'decisions of ops on deadlines; only added to. Of those that concern an institution the newest holds';
comment on column registry.deadline_move.institution_code is 'whom it concerns; null: every institution';
comment on column registry.deadline_move.deadline_at is 'first instant that is too late';
create index deadline_move_period on registry.deadline_move (period, move_number);

comment on column registry.period.deadline_at is 'first instant that is too late, by the calendar; registry.deadline says what holds';

create view registry.deadline as
select
    period.period,
    institution.code as institution_code,
    coalesce(moved.deadline_at, period.deadline_at) as deadline_at,
    period.deadline_at as by_calendar_at,
    moved.move_number,
    moved.reason,
    moved.moved_at,
    coalesce(moved.institution_code is not null, false) as is_own
from registry.period
cross join registry.institution
left join lateral (
    select
        move.move_number,
        move.institution_code,
        move.deadline_at,
        move.reason,
        move.moved_at
    from registry.deadline_move as move
    where
        move.period = period.period
        and (move.institution_code is null or move.institution_code = institution.code)
    order by move.move_number desc
    limit 1
) as moved on true;
comment on view registry.deadline is 'until when each institution may deliver for each opened period';
comment on column registry.deadline.deadline_at is 'first instant that is too late';
comment on column registry.deadline.is_own is 'whether it was moved for this institution alone';
"""

UNDO = """
drop view registry.deadline;
drop table registry.deadline_move;
comment on column registry.period.deadline_at is 'first instant that is too late';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
