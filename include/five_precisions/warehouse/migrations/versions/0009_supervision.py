"""Cases, pace and next steps, lists for banks and inspectors, restatements (docs/figures.md)."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
create table registry.case_set_aside (
    decision_number bigint generated always as identity primary key,
    case_id text not null,
    from_period text not null,
    until date,
    reason text not null check (reason <> ''),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp()
);
comment on table registry.case_set_aside is 'decisions of ops on cases; only added to. Of those on one case that a month knows the newest holds';
comment on column registry.case_set_aside.from_period is 'newest assessed month when it was decided: it acts on later revisions of that month and on later months, never on a restatement of an earlier one';
comment on column registry.case_set_aside.until is 'last day on which the case counts nowhere; NULL: an earlier decision is taken back';

create table mart.case_state (
    run_id text not null references mart.run (run_id),
    period text not null,
    case_id text not null,
    rule text not null,
    aspect text not null,
    level text not null check (level in ('high', 'medium', 'low')),
    institution_code text not null,
    division_code text,
    subject text not null,
    measure numeric,
    threshold numeric,
    detail text not null,
    state text not null check (state in ('open', 'set_aside', 'closed')),
    change text not null check (
        change in ('new', 'reopened', 'worsened', 'returned', 'lasting', 'unjudged', 'closed')
    ),
    first_period text not null,
    since_period text not null,
    times integer not null,
    primary key (run_id, case_id)
);
comment on table mart.case_state is 'every case that is open or set aside after a run, and those that the run closed: the history of a case is its rows over the runs';
comment on column mart.case_state.change is 'what the run did to it; worsened: a graver level, or at level high a measure further beyond its threshold; returned: it was set aside and counts again; unjudged: a report is missing, the case stays as it was; closed: it no longer holds, or its institution is not open any more';
comment on column mart.case_state.first_period is 'when it was opened for the first time';
comment on column mart.case_state.since_period is 'since when it has lasted without a break';
comment on column mart.case_state.times is 'how often it was opened';

create table mart.pace (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    target integer not null,
    reached integer,
    due numeric not null,
    needed_per_month numeric,
    forecast numeric,
    primary key (run_id, institution_code)
);
comment on table mart.pace is 'how far each bank with a target above 0 is on its way to it';
comment on column mart.pace.reached is 'households reached this year, up to the end of the period; NULL, and what follows from it too, where the ledger is missing';
comment on column mart.pace.due is 'target × month / 12';
comment on column mart.pace.needed_per_month is 'households a month needed from the next month on to reach the target; NULL in December';
comment on column mart.pace.forecast is 'reached / month × 12';

create table mart.next_step (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    indicator text not null,
    step numeric not null,
    unit text not null,
    raw_before numeric,
    raw_after numeric,
    score_before numeric not null,
    score_after numeric not null,
    grade_before text not null,
    grade_after text not null,
    rank_before integer not null,
    rank_after integer not null,
    action text not null,
    sentence text not null,
    primary key (run_id, institution_code, indicator)
);
comment on table mart.next_step is 'what one step better in one indicator would have given a ranked bank, everything else unchanged: the fewest units that win a place, or, where it cannot win one, those that bring it to full points; no row where there are none to win';
comment on column mart.next_step.action is 'what to do and how the indicator moves by it, in words; the sentence adds what that gives';

alter table mart.assessment add column previous_score numeric(5, 2);

create table mart.household_lead (
    run_id text not null references mart.run (run_id),
    period text not null,
    household_no text not null,
    bank_code text not null,
    town_code text not null,
    place integer not null,
    village text not null,
    head_name text not null,
    not_visited boolean not null,
    wants_loan boolean not null,
    scored_high boolean not null,
    last_visited_on date,
    wanted_amount numeric(18, 2),
    score numeric(5, 2) not null,
    tier text not null,
    credit_limit numeric(18, 2) not null,
    reason text not null,
    primary key (run_id, household_no)
);
comment on table mart.household_lead is 'households able to work that their bank should see: not visited in the current round, wanting a loan and without one, scored high and without one';
comment on column mart.household_lead.place is 'in which order to see them, within bank and town';
comment on column mart.household_lead.head_name is 'masked';
comment on column mart.household_lead.last_visited_on is 'by any bank, in any round; NULL: never';
comment on column mart.household_lead.wanted_amount is 'in yuan, where a loan is wanted';
comment on column mart.household_lead.credit_limit is 'in yuan';

create table mart.open_project (
    run_id text not null references mart.run (run_id),
    period text not null,
    county_code text not null,
    project_no text not null,
    name text not null,
    town_code text not null,
    industry text not null,
    operator text not null,
    demand numeric(18, 2) not null,
    households integer not null,
    jobs integer not null,
    entered_on date not null,
    pushed_to text,
    primary key (run_id, county_code, project_no)
);
comment on table mart.open_project is 'projects that nobody has taken up';
comment on column mart.open_project.demand is 'in units of 10,000 yuan';
comment on column mart.open_project.pushed_to is 'NULL: to all banks of the county';

create table mart.project_fit (
    run_id text not null references mart.run (run_id),
    period text not null,
    county_code text not null,
    project_no text not null,
    institution_code text not null,
    place integer,
    fit numeric(5, 2),
    offered boolean not null,
    answer text,
    industry_balance numeric,
    county_balance numeric,
    relending_room numeric,
    reason text not null,
    primary key (run_id, county_code, project_no, institution_code)
);
comment on table mart.project_fit is 'for each project that nobody has taken up, the banks that fit best, and those to which it was offered and that have not answered';
comment on column mart.project_fit.place is 'among the best; NULL: not among them, and in the list because it was offered and not answered';
comment on column mart.project_fit.fit is 'out of 100; NULL: no candidate';
comment on column mart.project_fit.answer is 'status of the bank''s own match; NULL: not answered';
comment on column mart.project_fit.industry_balance is 'loans to projects of the same industry, in units of 10,000 yuan; NULL: the ledger is missing';
comment on column mart.project_fit.county_balance is 'precise poverty loans in the county, in units of 10,000 yuan; NULL: the ledger is missing';
comment on column mart.project_fit.relending_room is 'relending less microcredit and project loans, in units of 10,000 yuan; NULL: no local legal person, or the ledger is missing';

create table mart.inspection_outlet (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    town_code text not null,
    place integer not null,
    outlet_name text,
    risk numeric(5, 2) not null,
    weight numeric not null,
    open_alerts integer not null,
    shared_alerts integer not null,
    balance numeric,
    last_inspected_on date,
    seed text not null,
    reason text not null,
    primary key (run_id, institution_code, town_code)
);
comment on table mart.inspection_outlet is 'outlets (bank and town) ranked for the next on-site inspection';
comment on column mart.inspection_outlet.outlet_name is 'as in the bank''s grid; NULL: it names none in this town';
comment on column mart.inspection_outlet.risk is 'out of 100';
comment on column mart.inspection_outlet.weight is 'of the open alerts: its own, and its part of those of the county or the whole bank';
comment on column mart.inspection_outlet.open_alerts is 'of this town';
comment on column mart.inspection_outlet.shared_alerts is 'of the county or the whole bank, each divided over the outlets that it reaches';
comment on column mart.inspection_outlet.balance is 'in units of 10,000 yuan; NULL: the ledger is missing';
comment on column mart.inspection_outlet.seed is 'what the random half of the sample was drawn with';

create table mart.inspection_sample (
    run_id text not null references mart.run (run_id),
    period text not null,
    institution_code text not null,
    town_code text not null,
    contract_no text not null,
    place integer not null,
    drawn text not null check (drawn in ('risk', 'random')),
    draw text,
    household_no text,
    balance numeric(18, 2) not null,
    overdue_days integer not null,
    risk_class text not null,
    reason text not null,
    primary key (run_id, institution_code, contract_no)
);
comment on table mart.inspection_sample is 'loans to look at in each outlet: half the riskiest, half random';
comment on column mart.inspection_sample.draw is 'SHA-256 of the outlet''s seed, a slash and the contract number; the smallest were drawn';
comment on column mart.inspection_sample.balance is 'in yuan';

create table mart.inspection_followup (
    run_id text not null references mart.run (run_id),
    period text not null,
    finding_no text not null,
    institution_code text not null,
    aspect text not null,
    severity text not null,
    inspected_on date not null,
    due_on date not null,
    mended_on date,
    state text not null check (state in ('running', 'overdue', 'mended', 'mended_late', 'doubtful', 'gone')),
    open_alerts integer not null,
    remark text not null,
    primary key (run_id, finding_no)
);
comment on table mart.inspection_followup is 'findings of inspections followed to their mending';
comment on column mart.inspection_followup.mended_on is 'as delivered; one after the end of the period does not count as mended yet';
comment on column mart.inspection_followup.state is 'as of the end of the period; doubtful: said to be mended, while the data still raise alerts of that aspect; gone: listed before and not mended, and not listed any more';
comment on column mart.inspection_followup.open_alerts is 'open alerts of that aspect at that institution; of what is said to be mended, those that were open when it was mended or by the end of that month';

create table mart.league_reconciliation (
    run_id text not null references mart.run (run_id),
    period text not null,
    figure text not null,
    computed numeric,
    reported numeric,
    difference numeric,
    primary key (run_id, figure)
);
comment on table mart.league_reconciliation is 'the own row of the league beside the figures computed from loans; amounts in units of 10,000 yuan';
comment on column mart.league_reconciliation.difference is 'reported less the computed figure rounded to two decimals';

create table mart.restatement (
    run_id text primary key references mart.run (run_id),
    replaced_run_id text not null references mart.run (run_id),
    reason text not null check (reason <> ''),
    decided_by text not null check (decided_by <> '')
);
comment on table mart.restatement is 'runs that replaced another one; when is told by mart.run.closed_at';

create table mart.restated_figure (
    run_id text not null references mart.restatement (run_id),
    period text not null,
    mart text not null,
    scope text not null,
    scope_code text not null,
    figure text not null,
    before text,
    after text,
    primary key (run_id, mart, scope, scope_code, figure)
);
comment on table mart.restated_figure is 'every figure that a restatement changed';
comment on column mart.restated_figure.mart is 'the table that holds it: metric, assessment, ranking, …';
comment on column mart.restated_figure.scope is 'city, county, town, bank, household; of what an institution that is no bank delivers its kind';

create table registry.restatement_request (
    request text primary key,
    period text not null references registry.period (period)
);
comment on table registry.restatement_request is 'restatements asked for by way of Airflow; request is the run there, which knows what became of it';

alter table mart.run
    add column scheme_digest text,
    add column scorecard_digest text,
    add column statements_digest text;
comment on column mart.run.scheme_digest is 'SHA-256 of the scheme that held; NULL in runs made before it was kept';
comment on column mart.run.scorecard_digest is 'SHA-256 of the scorecard that held; NULL in runs made before it was kept';
comment on column mart.run.statements_digest is 'SHA-256 over the statements and rules under include/sql that make a run; NULL in runs made before it was kept';
create or replace view mart.current_run as
select run.*
from mart.run
where run.current;
"""

CURRENT = """
create view mart.current_{table} as
select result.*
from mart.{table} as result
inner join mart.run on result.run_id = run.run_id
where run.current;
"""

TABLES_OF_A_RUN = (
    "case_state",
    "household_lead",
    "inspection_followup",
    "inspection_outlet",
    "inspection_sample",
    "league_reconciliation",
    "next_step",
    "open_project",
    "pace",
    "project_fit",
)

RENEW_CURRENT_ASSESSMENT = """
drop view mart.current_assessment;
""" + CURRENT.format(table="assessment")

UNDO_RUN = """
drop view mart.current_run;
alter table mart.run drop column scheme_digest, drop column scorecard_digest, drop column statements_digest;
create view mart.current_run as
select run.*
from mart.run
where run.current;
"""

READER = "grant select on all tables in schema mart to five_precisions_reader;"


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(TABLES)
    for table in TABLES_OF_A_RUN:
        connection.exec_driver_sql(CURRENT.format(table=table))
    connection.exec_driver_sql(RENEW_CURRENT_ASSESSMENT)
    connection.exec_driver_sql(READER)


def downgrade() -> None:
    connection = op.get_bind()
    for table in TABLES_OF_A_RUN:
        connection.exec_driver_sql(f"drop view mart.current_{table}")
    connection.exec_driver_sql("drop view mart.current_assessment")
    connection.exec_driver_sql("alter table mart.assessment drop column previous_score")
    connection.exec_driver_sql(CURRENT.format(table="assessment"))
    for table in ("restated_figure", "restatement", *TABLES_OF_A_RUN):
        connection.exec_driver_sql(f"drop table mart.{table}")
    connection.exec_driver_sql("drop table registry.case_set_aside")
    connection.exec_driver_sql("drop table registry.restatement_request")
    connection.exec_driver_sql(UNDO_RUN)
    connection.exec_driver_sql(READER)
