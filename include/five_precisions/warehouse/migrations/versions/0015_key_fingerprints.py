"""Which keys the warehouse was made with: another one is refused (docs/reports.md#sensitive-columns)."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = """
create table registry.key_fingerprint (
    purpose text not null check (purpose in ('pii', 'archive')),
    fingerprint text not null,
    since timestamptz not null default clock_timestamp(),
    primary key (purpose, fingerprint)
);
comment on table registry.key_fingerprint is 'the keys that hashes were made with, or that archived files may bear; not the keys';
comment on column registry.key_fingerprint.purpose is 'pii: of the keyed hashes, one for good; archive: of the archive, several while it is changed';
comment on column registry.key_fingerprint.fingerprint is 'tells keys apart, and nothing of a key';
create unique index key_fingerprint_pii on registry.key_fingerprint (purpose) where purpose = 'pii';
"""

UNDO = """
drop table registry.key_fingerprint;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
