"""Which expectations of a suite Great Expectations judged, and which screening answered (docs/performance.md)."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

VALIDATED = """
alter table intake.report add column validated smallint[];
comment on column intake.report.validated is 'places in the suite, from 0, of the expectations that Great Expectations judged; screening saw the others hold; null: no row was held against the suite, or before screening';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(VALIDATED)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("alter table intake.report drop column validated")
