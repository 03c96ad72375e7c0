"""The register as each run knew it: what a figure rests on does not change with it.

See docs/figures.md#restatement-and-proof.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
create table mart.run_institution (
    run_id text not null references mart.run (run_id),
    code text not null,
    short_name text not null,
    kind text not null,
    division_code text not null,
    local_legal_person boolean not null,
    is_open boolean not null,
    primary key (run_id, code)
);
comment on table mart.run_institution is 'institutions that were open in the run''s month, or delivered what it used, as the register had them';

create table mart.run_division (
    run_id text not null references mart.run (run_id),
    code text not null,
    name text not null,
    level text not null,
    parent_code text,
    primary key (run_id, code)
);
comment on table mart.run_division is 'divisions as the register had them when the run was made';

-- Of runs made before this was kept, the register as it is now is what is known.
insert into mart.run_institution
select
    run.run_id,
    institution.code,
    institution.short_name,
    institution.kind,
    institution.division_code,
    institution.local_legal_person,
    institution.opened_on <= month.last_day
    and (institution.closed_on is null or institution.closed_on > month.last_day)
from mart.run
cross join lateral (
    select cast(to_date(run.period, 'YYYY-MM') + interval '1 month' - interval '1 day' as date) as last_day
) as month
cross join registry.institution
where
    (
        institution.opened_on <= month.last_day
        and (institution.closed_on is null or institution.closed_on > month.last_day)
    )
    or exists (
        select 1
        from mart.run_input
        where
            run_input.run_id = run.run_id
            and run_input.institution_code = institution.code
    );

insert into mart.run_division
select
    run.run_id,
    division.code,
    division.name,
    division.level,
    division.parent_code
from mart.run
cross join registry.division;
"""

UNDO = """
drop table mart.run_division, mart.run_institution;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
