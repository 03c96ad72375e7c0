"""What people did from the pages, with who, when and why (docs/desk.md#pages)."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = """
create table registry.action (
    action_number bigint generated always as identity primary key,
    form_key text not null unique,
    kind text not null,
    subject text not null,
    period text,
    reason text,
    outcome text not null,
    acted_by text not null,
    acted_at timestamptz not null default clock_timestamp()
);
comment on table registry.action is 'what people did from the pages; only added to';
comment on column registry.action.action_number is 'counts up';
comment on column registry.action.form_key is 'key of the form that was sent: a form that is sent twice acts once';
comment on column registry.action.kind is 'what was done: reminder, deadline, set_aside, take_back, resend, restatement, contact, template, check, download, …';
comment on column registry.action.subject is 'what it was done to: an institution, a case, a message, a file';
comment on column registry.action.period is 'month or quarter that it is about; null: none';
comment on column registry.action.reason is 'why, as the person wrote it; null: none is asked for';
comment on column registry.action.outcome is 'what came of it, in Chinese';
comment on column registry.action.acted_by is 'who did it: the name in Airflow';
comment on column registry.action.acted_at is 'when it was done';
create index action_period on registry.action (period, kind, subject);

-- A record of who did what is worth no more than the hardness of changing it.
create function registry.refuse_change() returns trigger language plpgsql as $body$
begin
    raise exception using message = concat(tg_table_schema, '.', tg_table_name, ' is only added to');
end
$body$;
create trigger only_added_to before update or delete or truncate on registry.action
for each statement execute function registry.refuse_change();
"""

UNDO = """
drop table registry.action;
drop function registry.refuse_change();
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
