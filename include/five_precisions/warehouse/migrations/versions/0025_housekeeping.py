"""What housekeeping did, and which archived files it took away (docs/operations.md#housekeeping)."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

HOUSEKEEPING = """
create table registry.housekeeping (
    housekeeping_number bigint generated always as identity primary key,
    task text not null check (task in ('retention', 'airflow_clean', 'partitions', 'backup', 'restore_test', 'disk')),
    done_at timestamptz not null default clock_timestamp(),
    outcome text not null check (outcome in ('done', 'failed')),
    sentence text not null,
    detail jsonb not null
);
create index housekeeping_newest on registry.housekeeping (task, housekeeping_number desc);
comment on table registry.housekeeping is 'what each task of housekeeping did or failed to do; only added to';
comment on column registry.housekeeping.housekeeping_number is 'number in the order in which it was recorded';
comment on column registry.housekeeping.task is 'retention, airflow_clean, partitions, backup, restore_test or disk';
comment on column registry.housekeeping.done_at is 'when it ended';
comment on column registry.housekeeping.outcome is 'done or failed';
comment on column registry.housekeeping.sentence is 'what was done, or why it failed';
comment on column registry.housekeeping.detail is 'its figures by name, as docs/operations.md#housekeeping lists them; empty where it failed';

create table intake.removed_file (
    sha256 text primary key,
    removed_at timestamptz not null default clock_timestamp()
);
comment on table intake.removed_file is 'archived files that housekeeping took away because they were old and superseded; only added to';
comment on column intake.removed_file.sha256 is 'SHA-256 of the bytes; the name that the file had in the archive';
comment on column intake.removed_file.removed_at is 'when it was taken away';
"""

UNDO = """
drop table intake.removed_file;
drop table registry.housekeeping;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(HOUSEKEEPING)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
