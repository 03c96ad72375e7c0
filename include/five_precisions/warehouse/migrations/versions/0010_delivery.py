"""Mail as the fallback of other services, and the pace at which mails leave (docs/outputs.md#messages)."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
alter table registry.contact add column fallback_address text;
comment on column registry.contact.fallback_address is 'mail address that gets what the service of the contact refuses for good';

alter table notify.message add column fallback_of text references notify.message (message_key);
comment on column notify.message.fallback_of is 'the message to another service that was refused, and that this mail stands in for';

create table notify.mail_slot (
    is_only boolean primary key default true check (is_only),
    free_at timestamptz not null default now()
);
comment on table notify.mail_slot is 'when the next mail may leave, whichever process sends it';
insert into notify.mail_slot default values;
"""

UNDO = """
drop table notify.mail_slot;
alter table notify.message drop column fallback_of;
alter table registry.contact drop column fallback_address;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
