"""The ledger of what was delivered, judged and frozen (docs/intake.md; docs/outputs.md#warehouse)."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
create schema intake;

create table intake.submission (
    submission_id text primary key,
    period text not null references registry.period (period),
    institution_code text not null references registry.institution (code),
    version integer not null,
    received_at timestamptz not null,
    replayed boolean not null,
    digest text not null,
    verdict text not null check (verdict in ('accepted', 'partial', 'rejected')),
    submitted_by text,
    phone_masked text,
    recorded_at timestamptz not null default now(),
    unique (period, institution_code, version),
    unique (period, institution_code, digest)
);
comment on column intake.submission.submission_id is 'the receipt number, period-institution-version';
comment on column intake.submission.digest is 'SHA-256 over the hashes of the delivered files and what their names say they are';

create table intake.file (
    submission_id text not null references intake.submission (submission_id),
    name text not null,
    sha256 text not null,
    size bigint not null,
    primary key (submission_id, name)
);

create table intake.report (
    submission_id text not null references intake.submission (submission_id),
    report text not null,
    rows integer not null,
    control_total numeric,
    verdict text not null check (verdict in ('accepted', 'rejected', 'nil')),
    errors integer not null,
    warnings integer not null,
    file text,
    sheet text,
    primary key (submission_id, report)
);

create table intake.finding (
    submission_id text not null references intake.submission (submission_id),
    ordinal integer not null,
    report text,
    rule text not null,
    level text not null check (level in ('critical', 'warning', 'notice')),
    file text,
    sheet text,
    row_number integer,
    header text,
    cell text,
    key text,
    value text,
    expected text,
    message text not null,
    primary key (submission_id, ordinal)
);

create table intake.explanation (
    submission_id text not null references intake.submission (submission_id),
    ordinal integer not null,
    report text not null,
    rule text not null,
    key text not null,
    explanation text not null,
    primary key (submission_id, ordinal)
);

create table intake.close (
    period text primary key references registry.period (period),
    closed_at timestamptz not null
);

create table intake.frozen_report (
    period text not null references intake.close (period),
    institution_code text not null,
    report text not null,
    submission_id text not null references intake.submission (submission_id),
    primary key (period, institution_code, report)
);
comment on table intake.frozen_report is 'the newest accepted version of each report when the month was closed';

create view intake.standing_report as
select distinct on (submission.period, submission.institution_code, report.report)
    submission.period,
    submission.institution_code,
    report.report,
    report.submission_id,
    submission.version,
    submission.received_at,
    report.verdict
from intake.report
inner join intake.submission on report.submission_id = submission.submission_id
where report.verdict in ('accepted', 'nil')
order by submission.period, submission.institution_code, report.report, submission.version desc;
comment on view intake.standing_report is 'the newest accepted version of each report: what stands';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("drop schema intake cascade")
