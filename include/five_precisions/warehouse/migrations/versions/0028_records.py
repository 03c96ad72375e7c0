"""Decisions of people and what housekeeping did: records that are only added to refuse every change.

See docs/outputs.md#warehouse.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

RECORDS = (
    "registry.deadline_move",
    "registry.case_set_aside",
    "registry.closing",
    "registry.housekeeping",
    "intake.reopening",
    "intake.removed_file",
    "notify.shown_draft",
    "notify.approval",
)


def upgrade() -> None:
    for table in RECORDS:
        op.get_bind().exec_driver_sql(
            f"create trigger only_added_to before update or delete or truncate on {table} "
            "for each statement execute function registry.refuse_change()"
        )


def downgrade() -> None:
    for table in RECORDS:
        op.get_bind().exec_driver_sql(f"drop trigger only_added_to on {table}")
