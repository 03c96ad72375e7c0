-- Which reports of a delivery lie in a file that another institution has delivered, and that stands there?
-- One row a report. A single row may be the same by chance, as of a training that two have held together.
select distinct accepted.report
from intake.standing_report as accepted
inner join intake.report
    on
        accepted.submission_id = report.submission_id
        and accepted.report = report.report
inner join intake.file
    on
        report.submission_id = file.submission_id
        and split_part(report.file, '/', 1) = file.name
inner join unnest(cast(:reports as text[]), cast(:hashes as text[])) as delivered (report, sha256)
    on
        accepted.report = delivered.report
        and file.sha256 = delivered.sha256
where
    accepted.period = :period
    and accepted.institution_code <> :institution_code
    and report.rows > 1
order by accepted.report
