"""The marts with a row for each household are no longer held against their run, row by row.

Their rows are written by the one transaction that makes the run, and by nobody else. To look the run up for each of
them took a third of the time of their inserts (docs/performance.md#figures).
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TABLES = ("household_score", "household_lead")


def upgrade() -> None:
    for table in _TABLES:
        op.get_bind().exec_driver_sql(f"alter table mart.{table} drop constraint {table}_run_id_fkey")


def downgrade() -> None:
    for table in _TABLES:
        op.get_bind().exec_driver_sql(f"alter table mart.{table} add foreign key (run_id) references mart.run (run_id)")
