"""Obligations by date: from which month on a report is owed, until which, and from which of its own months by whom.

See docs/own-city.md#obligationscsv.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = """
alter table registry.obligation drop constraint obligation_pkey;
alter table registry.obligation add column from_period text check (from_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$');
alter table registry.obligation add column until_period text check (until_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$');
alter table registry.obligation add column from_month integer not null default 1 check (from_month >= 1);
alter table registry.obligation add constraint ends_after_it_begins check (until_period >= from_period);
alter table registry.obligation
add constraint begins_once unique nulls not distinct (kind, report, from_period);
comment on table registry.obligation is 'reports that institutions of a kind owe each month, and in which months';
comment on column registry.obligation.from_period is 'first month for which it is owed, YYYY-MM; null: none is named';
comment on column registry.obligation.until_period is 'last month for which it is owed, YYYY-MM; null: none is named';
comment on column registry.obligation.from_month is 'from which of its own months on an institution owes it; 1: the month in which it opened';

create view registry.expected_report as
select
    period.period,
    institution.code as institution_code,
    obligation.report,
    obligation.nil_allowed
from registry.period
cross join registry.institution
inner join registry.obligation on institution.kind = obligation.kind
where
    (
        institution.closed_on is null
        or institution.closed_on >= to_date(period.period, 'YYYY-MM') + interval '1 month'
    )
    and (obligation.from_period is null or obligation.from_period <= period.period)
    and (obligation.until_period is null or obligation.until_period >= period.period)
    -- Its first month is the one at whose last day it is open.
    and institution.opened_on
    < to_date(period.period, 'YYYY-MM') + make_interval(months => 2 - obligation.from_month);
comment on view registry.expected_report is 'which reports each institution owes for each opened month, by the register as it is now';
comment on column registry.expected_report.period is 'month, YYYY-MM';
comment on column registry.expected_report.institution_code is 'who owes it: an institution that is open on the last day of the month';
comment on column registry.expected_report.report is 'code of the report';
comment on column registry.expected_report.nil_allowed is 'whether a nil return is enough';
"""

UNDO = """
drop view registry.expected_report;
-- Of what is said of a report for several months the last stays; the next reading of the files replaces all.
delete from registry.obligation as earlier
using registry.obligation as later
where
    earlier.kind = later.kind
    and earlier.report = later.report
    and coalesce(earlier.from_period, '') < coalesce(later.from_period, '');
alter table registry.obligation drop constraint begins_once;
alter table registry.obligation drop constraint ends_after_it_begins;
alter table registry.obligation drop column from_month;
alter table registry.obligation drop column until_period;
alter table registry.obligation drop column from_period;
alter table registry.obligation add constraint obligation_pkey primary key (kind, report);
comment on table registry.obligation is 'reports that every institution of a kind owes each month';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
