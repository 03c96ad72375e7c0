"""Packages that could not be checked for a reason of ours: since when, and what broke (docs/intake.md#bad-input)."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FAILED = """
alter table intake.seen_package
add column failed_at timestamptz,
add column failure text,
add constraint failed_with_a_failure check ((failed_at is null) = (failure is null));
comment on column intake.seen_package.failed_at is 'when it could not be checked for the first time; null while nothing went wrong';
comment on column intake.seen_package.failure is 'the kind of the error that broke the check last; nothing of what was delivered';
"""

UNDO = """
alter table intake.seen_package
drop constraint failed_with_a_failure,
drop column failed_at,
drop column failure;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FAILED)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
