"""When a package was first seen: what ends before it is recorded makes nobody late (docs/intake.md#its-life)."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SEEN = """
create table intake.seen_package (
    period text not null references registry.period (period),
    institution_code text not null references registry.institution (code),
    fingerprint text not null,
    seen_at timestamptz not null,
    primary key (period, institution_code)
);
comment on table intake.seen_package is 'the settled package that lies in an institution''s folder and is not on record yet';
comment on column intake.seen_package.fingerprint is 'what changes when a file is added, taken away or written again';
comment on column intake.seen_package.seen_at is 'when it was first seen: it becomes the version''s received_at';
"""

UNDO = """
drop table intake.seen_package;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SEEN)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
