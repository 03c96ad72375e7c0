-- In which sheets do the standing reports of a period lie? One row an institution and report.
select
    standing.institution_code,
    standing.report,
    report.file,
    report.sheet,
    report.places
from intake.standing_report as standing
inner join intake.report
    on
        standing.submission_id = report.submission_id
        and standing.report = report.report
where standing.period = :period
