-- How did the institutions report in these months?
-- One row per period, institution and owed report.
select
    period,
    institution_code,
    report,
    status,
    version,
    on_time,
    first_pass,
    errors,
    warnings
from mart.current_reporting
where period between :first and :last
order by period, institution_code, report
