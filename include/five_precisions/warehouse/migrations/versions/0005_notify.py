"""Messages and approvals (docs/outputs.md#messages)."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
create schema notify;

create table notify.message (
    message_key text primary key,
    kind text not null,
    period text not null,
    recipient text not null,
    status text not null check (status in ('pending', 'sending', 'sent', 'failed', 'in_doubt')),
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    attempts integer not null default 0,
    run_id text references mart.run (run_id)
);

create table notify.approval (
    quarter text not null,
    draft integer not null,
    run_id text not null references mart.run (run_id),
    shown_digest text not null,
    decision text not null check (decision in ('approved', 'rejected')),
    decided_by text not null,
    decided_at timestamptz not null,
    remark text not null default '',
    primary key (quarter, draft)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("drop schema notify cascade")
