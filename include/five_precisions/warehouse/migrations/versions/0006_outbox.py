"""The outbox's messages with what they carry and when they are tried; when a delivery was laid down.

See docs/outputs.md#messages.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
create table notify.attachment (
    sha256 text primary key,
    content bytea not null
);
comment on table notify.attachment is 'contents of attachments, each once however many messages carry it';

alter table notify.message
add column institution_code text not null references registry.institution (code),
add column subject text not null,
add column html text not null,
add column due_at timestamptz not null default now(),
add column refusals integer not null default 0,
add column reply text;
comment on column notify.message.message_key is 'kind/period/institution/recipient/edition; the mail bears it as X-Message-Key';
comment on column notify.message.recipient is 'an email address; of an Apprise URL its scheme and a hash, for it may hold a token';
comment on column notify.message.due_at is 'when a pending message is tried next';
comment on column notify.message.refusals is 'how often it was refused for now since it was posted or resent: tells the next delay';
comment on column notify.message.reply is 'what came of the last attempt: the reply of the server, or why it is in doubt';
create index message_due on notify.message (due_at) where status in ('pending', 'sending');

create table notify.message_attachment (
    message_key text not null references notify.message (message_key),
    ordinal integer not null,
    name text not null,
    sha256 text not null references notify.attachment (sha256),
    primary key (message_key, ordinal)
);

create table notify.attempt (
    message_key text not null references notify.message (message_key),
    attempt integer not null,
    began_at timestamptz not null,
    ended_at timestamptz,
    outcome text check (outcome in ('sent', 'refused_for_now', 'refused', 'in_doubt')),
    reply text,
    primary key (message_key, attempt)
);
comment on table notify.attempt is 'each time a message was handed over; only added to. Without an end: the sender died';

alter table intake.submission add column delivered_at timestamptz;
comment on column intake.submission.delivered_at is 'newest file time of the delivery: tells the same delivery, seen again after a crash, from the same bytes delivered once more';
"""

UNDO = """
alter table intake.submission drop column delivered_at;
drop table notify.attempt;
drop table notify.message_attachment;
alter table notify.message
drop column institution_code, drop column subject, drop column html, drop column due_at,
drop column refusals, drop column reply;
drop table notify.attachment;
comment on column notify.message.message_key is null;
comment on column notify.message.recipient is null;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
