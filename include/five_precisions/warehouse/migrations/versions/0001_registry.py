"""The register: institutions, divisions, contacts, obligations, periods (docs/own-city.md#register-files)."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create schema registry;

create table registry.division (
    code text primary key,
    name text not null,
    level text not null check (level in ('city', 'county', 'town')),
    parent_code text references registry.division (code) deferrable initially deferred
);
create unique index one_city on registry.division (level) where level = 'city';

create table registry.institution (
    code text primary key,
    name text not null,
    short_name text not null,
    kind text not null check (kind in ('bank', 'county_office', 'centre')),
    division_code text not null references registry.division (code),
    local_legal_person boolean not null,
    opened_on date not null,
    closed_on date
);

create table registry.contact (
    institution_code text not null references registry.institution (code),
    address text not null,
    role text not null check (role in ('contact', 'leader')),
    primary key (institution_code, address, role)
);

create table registry.obligation (
    kind text not null check (kind in ('bank', 'county_office', 'centre')),
    report text not null,
    nil_allowed boolean not null,
    primary key (kind, report)
);

create table registry.period (
    period text primary key check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    deadline_at timestamptz not null,
    opened_at timestamptz not null default now()
);
comment on column registry.period.deadline_at is 'first instant that is too late';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("drop schema registry cascade")
