"""What a draft's page says of it: title, run, and what was checked before it was shown (docs/outputs.md#bulletin)."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = """
alter table notify.shown_draft
add column title text not null default '',
add column run_id text references mart.run (run_id),
add column checks text [] not null default '{}';
comment on column notify.shown_draft.run_id is 'the run of the quarter''s last month; null where it was shown before this was kept';
comment on column notify.shown_draft.checks is 'the invariants that were checked, all of which held';
"""

UNDO = """
alter table notify.shown_draft drop column checks, drop column run_id, drop column title;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
