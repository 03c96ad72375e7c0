"""Messages that are not sent are found without reading all that were (docs/desk.md#speed)."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

INDEX = """
create index message_unsent on notify.message (status, period) where status <> 'sent';
"""

UNDO = """
drop index notify.message_unsent;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEX)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
