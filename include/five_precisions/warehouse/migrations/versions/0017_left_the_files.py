"""Who stands in the warehouse and no longer in the register's files, and what ops decided.

See docs/own-city.md#register-files.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = """
alter table registry.division add column left_files_at timestamptz;
comment on column registry.division.left_files_at is 'when init first missed it in divisions.csv; null while it stands there';
alter table registry.institution add column left_files_at timestamptz;
comment on column registry.institution.left_files_at is 'when init first missed it in institutions.csv; null while it stands there';

create table registry.closing (
    closing_number bigint generated always as identity primary key,
    institution_code text not null references registry.institution (code),
    closed_on date not null,
    reason text not null check (reason <> ''),
    decided_by text not null,
    decided_at timestamptz not null default clock_timestamp()
);
comment on table registry.closing is 'decisions of ops on institutions that the register''s files no longer name; only added to. The newest of an institution holds until the files name it again';
comment on column registry.closing.closed_on is 'first day on which it is closed';
create index closing_institution on registry.closing (institution_code, closing_number);
"""

UNDO = """
drop table registry.closing;
alter table registry.institution drop column left_files_at;
alter table registry.division drop column left_files_at;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
