"""What was shown for approval and what was published, so that a correction can name what changed.

See docs/outputs.md#bulletin.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
create table notify.shown_draft (
    quarter text not null,
    draft integer not null,
    digest text not null,
    shown_at timestamptz not null default clock_timestamp(),
    primary key (quarter, draft, shown_at)
);
comment on table notify.shown_draft is 'drafts that a person was asked to decide on; only added to';

alter table notify.approval
add column kind text not null default 'bulletin' check (kind in ('bulletin', 'correction')),
add column run_ids text [] not null default '{}',
add column published jsonb;
comment on column notify.approval.run_ids is 'every run whose figures it tells';
comment on column notify.approval.published is 'the tables of the bulletin as they then stood, cell by cell, where it was approved';
"""

UNDO = """
delete from notify.approval where kind = 'correction';
alter table notify.approval drop column published, drop column run_ids, drop column kind;
drop table notify.shown_draft;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
