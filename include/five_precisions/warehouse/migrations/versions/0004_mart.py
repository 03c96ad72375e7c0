"""Results: runs, figures, targets, assessment, rankings (docs/figures.md; docs/outputs.md#warehouse)."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
create schema mart;

create table mart.run (
    run_id text primary key,
    period text not null references registry.period (period),
    revision integer not null,
    closed_at timestamptz not null,
    input_digest text not null,
    scheme_version text not null,
    scorecard_version text not null,
    code_version text not null,
    current boolean not null,
    unique (period, revision)
);
comment on column mart.run.closed_at is 'when the run was finished';
create unique index one_current_run on mart.run (period) where current;

create table mart.run_input (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    report text not null,
    submission_id text not null references intake.submission (submission_id),
    primary key (run_id, period, institution_code, report)
);
comment on table mart.run_input is 'versions a run used: of its own month every report, of earlier months the flows';

create table mart.metric (
    run_id text not null references mart.run (run_id),
    period text not null,
    scope text not null check (scope in ('city', 'county', 'town', 'bank')),
    scope_code text not null,
    metric text not null,
    value numeric,
    numerator numeric,
    denominator numeric,
    primary key (run_id, metric, scope, scope_code)
);

create table mart.visit_round (
    run_id text not null references mart.run (run_id),
    period text not null,
    round integer not null,
    visited integer not null,
    households_able integer not null,
    reached boolean not null,
    primary key (run_id, round)
);
comment on table mart.visit_round is 'coverage of each round of visits; reached: in this month or an earlier one';

create table mart.household_score (
    run_id text not null references mart.run (run_id),
    period text not null,
    household_no text not null,
    town_code text not null,
    bank_code text not null,
    workers_points numeric not null,
    income_points numeric not null,
    debts_points numeric not null,
    business_points numeric not null,
    training_points numeric not null,
    conduct_points numeric not null,
    score numeric(5, 2) not null,
    tier text not null,
    credit_limit numeric(18, 2) not null,
    primary key (run_id, household_no)
);
comment on column mart.household_score.credit_limit is 'yuan';

create table mart.target (
    year integer not null,
    revision integer not null,
    from_period text not null,
    reason text not null,
    institution_code text not null,
    fund numeric not null,
    quota numeric not null,
    households integer not null,
    primary key (year, revision, institution_code)
);
comment on column mart.target.fund is 'guarantee and subsidy funds arrived at the basis close, in units of 10,000 yuan';

create table mart.assessment (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    score numeric(5, 2),
    deductions numeric,
    grade text,
    rank integer,
    previous_rank integer,
    status text not null check (status in ('ranked', 'unranked')),
    reason text,
    primary key (run_id, institution_code)
);

create table mart.assessment_item (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    indicator text not null,
    weight numeric not null,
    raw numeric,
    points numeric,
    note text not null,
    primary key (run_id, institution_code, indicator)
);

create table mart.ranking (
    run_id text not null references mart.run (run_id),
    period text not null,
    board text not null,
    subject_code text not null,
    subject_name text not null,
    value numeric not null,
    rank integer not null,
    previous_rank integer,
    primary key (run_id, board, subject_code)
);

create table mart.relending_advice (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    issue text not null,
    extension text not null,
    reason text not null,
    primary key (run_id, institution_code)
);

create table mart.alert (
    run_id text not null references mart.run (run_id),
    period text not null,
    rule text not null,
    aspect text not null,
    level text not null check (level in ('high', 'medium', 'low')),
    institution_code text not null,
    division_code text,
    subject text not null,
    measure numeric,
    threshold numeric,
    detail text not null,
    case_id text not null,
    primary key (run_id, rule, institution_code, subject)
);

create table mart.reporting (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    report text not null,
    status text not null check (status in ('accepted', 'nil', 'rejected', 'missing')),
    version integer,
    on_time boolean not null,
    first_pass boolean not null,
    errors integer not null,
    warnings integer not null,
    primary key (run_id, institution_code, report)
);
"""

CURRENT = """
create view mart.current_{table} as
select result.*
from mart.{table} as result
inner join mart.run on result.run_id = run.run_id
where run.current;
"""

TABLES_OF_A_RUN = (
    "alert",
    "assessment",
    "assessment_item",
    "household_score",
    "metric",
    "ranking",
    "relending_advice",
    "reporting",
    "visit_round",
)

CURRENT_TARGET = """
create view mart.current_target as
select target.*
from mart.target
where target.revision = (
    select max(newest.revision) from mart.target as newest where newest.year = target.year
);
create view mart.current_run as
select run.*
from mart.run
where run.current;
"""

READER = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'five_precisions_reader') then
        create role five_precisions_reader nologin;
    end if;
end
$$;
grant usage on schema mart to five_precisions_reader;
grant select on all tables in schema mart to five_precisions_reader;
alter default privileges in schema mart grant select on tables to five_precisions_reader;
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(TABLES)
    for table in TABLES_OF_A_RUN:
        connection.exec_driver_sql(CURRENT.format(table=table))
    connection.exec_driver_sql(CURRENT_TARGET)
    connection.exec_driver_sql(READER)


def downgrade() -> None:
    # The role belongs to the server, not to this database, and may serve another warehouse.
    op.get_bind().exec_driver_sql("drop schema mart cascade")
