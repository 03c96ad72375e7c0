"""The rows of every accepted version, partitioned by period, and what stands of them (docs/outputs.md#warehouse).

Sensitive columns hold masked text; `<column>_hash` beside them is the keyed hash that joins (docs/reports.md).
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
create schema core;

create table core.delivered_loans (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    contract_no text not null,
    borrower_kind text not null,
    borrower_name text not null,
    borrower_id text not null,
    borrower_id_hash text not null,
    household_no text,
    category text not null,
    microcredit boolean not null,
    town_code text not null,
    issued_on date not null,
    matures_on date not null,
    principal numeric(18, 2) not null,
    balance numeric(18, 2) not null,
    annual_rate numeric(9, 4) not null,
    purpose text not null,
    security text not null,
    subsidised boolean not null,
    risk_class text not null,
    overdue_days integer not null,
    extended boolean not null,
    project_no text,
    payee_account text,
    payee_account_hash text,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_position (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    county_code text not null,
    all_loans numeric(18, 2) not null,
    all_loans_year_begin numeric(18, 2) not null,
    microcredit_year_begin numeric(18, 2) not null,
    relending numeric(18, 2) not null,
    relending_extended numeric(18, 2) not null,
    new_products integer not null,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_visits (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    household_no text not null,
    visited_on date not null,
    round integer not null,
    officer text not null,
    cadre text,
    wants_loan boolean not null,
    wanted_amount numeric(18, 2),
    filed boolean not null,
    conduct integer,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_outreach (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    held_on date not null,
    town_code text not null,
    village text,
    kind text not null,
    round integer,
    attendees integer not null,
    cadres integer not null,
    leaflets integer not null,
    team_size integer,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_grid (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    outlet_code text not null,
    outlet_name text not null,
    town_code text not null,
    village text,
    head text not null,
    head_phone text not null,
    head_phone_hash text not null,
    resident_cadre text,
    letter_signed_on date,
    hotline text,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_matches (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    project_no text not null,
    status text not null,
    matched_on date not null,
    credit_line numeric(18, 2),
    paired boolean not null,
    reason text,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_households (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    household_no text not null,
    head_name text not null,
    head_id text not null,
    head_id_hash text not null,
    town_code text not null,
    village text not null,
    members integer not null,
    workers integer not null,
    income_per_head numeric(18, 2) not null,
    debts numeric(18, 2) not null,
    has_business boolean not null,
    trained boolean not null,
    status text not null,
    bank_code text not null,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_projects (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    project_no text not null,
    name text not null,
    town_code text not null,
    industry text not null,
    operator text not null,
    operator_id text,
    demand numeric(18, 2) not null,
    entered_on date not null,
    status text not null,
    households integer not null,
    jobs integer not null,
    pushed_to text,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_guarantee_funds (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    bank_code text not null,
    kind text not null,
    year integer not null,
    due_amount numeric(18, 2) not null,
    due_on date not null,
    arrived_amount numeric(18, 2) not null,
    arrived_on date,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_league (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    city_code text not null,
    city text not null,
    ytd_households integer not null,
    ytd_amount numeric(18, 2) not null,
    balance numeric(18, 2) not null,
    primary key (period, submission_id, row_number)
) partition by list (period);

create table core.delivered_inspections (
    period text not null,
    submission_id text not null references intake.submission (submission_id),
    delivered_by text not null,
    row_number integer not null,
    finding_no text not null,
    institution_code text not null,
    inspected_on date not null,
    aspect text not null,
    finding text not null,
    severity text not null,
    due_on date not null,
    mended_on date,
    remedy text,
    primary key (period, submission_id, row_number)
) partition by list (period);
"""

STANDING = """
create view core.{report} as
select delivered.*
from core.delivered_{report} as delivered
inner join intake.standing_report as standing
    on delivered.period = standing.period
    and delivered.submission_id = standing.submission_id
    and standing.report = '{report}';
comment on view core.{report} is 'rows of the newest accepted version of each institution and period';
"""

REPORTS = (
    "loans",
    "position",
    "visits",
    "outreach",
    "grid",
    "matches",
    "households",
    "projects",
    "guarantee_funds",
    "league",
    "inspections",
)


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
    for report in REPORTS:
        op.get_bind().exec_driver_sql(STANDING.format(report=report))


def downgrade() -> None:
    op.get_bind().exec_driver_sql("drop schema core cascade")
