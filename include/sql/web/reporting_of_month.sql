-- What became of the reports that an institution owes for a month, as the run has it? One row per report.
select
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
    current_run.period = :period
    and reporting.institution_code = :code
