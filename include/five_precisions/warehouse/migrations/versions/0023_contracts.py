"""Loans of one contract and day are found without reading all ledgers: a ledger is held against every other one."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The day sets contracts apart where banks count from 1, each for itself.
    op.get_bind().exec_driver_sql("create index linked_loans_contract on core.delivered_loans (contract_no, issued_on)")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("drop index core.linked_loans_contract")
