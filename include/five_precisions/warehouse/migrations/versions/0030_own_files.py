"""Which of the installation's own files a run was made by.

See docs/own-city.md#what-a-run-says-of-it.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TABLES = """
create table mart.run_own_file (
    run_id text not null references mart.run (run_id),
    name text not null,
    sha256 text not null,
    primary key (run_id, name)
);
comment on table mart.run_own_file is 'files of the installation, in the place of ours or added, by which a run was made';
comment on column mart.run_own_file.run_id is 'the run';
comment on column mart.run_own_file.name is 'where ours stands in include, e.g. sql/alerts/a05.sql';
comment on column mart.run_own_file.sha256 is 'SHA-256 of what the file said';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("drop table mart.run_own_file")
