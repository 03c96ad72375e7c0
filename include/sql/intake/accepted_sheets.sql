-- In which sheets do the accepted reports of a period lie? One row an institution and report.
select
    accepted.institution_code,
    accepted.report,
    report.file,
    report.sheet,
    report.places
from intake.standing_report as accepted
inner join intake.report
    on
        accepted.submission_id = report.submission_id
        and accepted.report = report.report
where accepted.period = :period
