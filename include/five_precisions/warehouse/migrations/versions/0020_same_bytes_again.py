"""The same bytes may be judged again after another institution has corrected its own (docs/intake.md#versions)."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MANY = """
alter table intake.submission drop constraint submission_period_institution_code_digest_key;
create index submission_digest on intake.submission (period, institution_code, digest);
"""

ONE = """
drop index intake.submission_digest;
alter table intake.submission add unique (period, institution_code, digest);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(MANY)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(ONE)
