-- What became of the reports that an institution owed for the assessed months from :first to :period? One row per month
-- and report, the oldest month first.
select
    current_run.period,
    reporting.report,
    reporting.status,
    reporting.version,
    reporting.on_time,
    reporting.first_pass,
    reporting.errors,
    reporting.warnings
from mart.current_run
inner join mart.reporting on current_run.run_id = reporting.run_id
where
    current_run.period between :first and :period
    and reporting.institution_code = :code
order by current_run.period
