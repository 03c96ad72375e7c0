-- How was each delivered report of a period judged? One row a report of a version, in the order of versions.
select
    submission.institution_code,
    report.report,
    submission.version,
    submission.received_at,
    report.verdict,
    report.rows,
    report.errors,
    report.warnings
from intake.report
inner join intake.submission on report.submission_id = submission.submission_id
where submission.period = :period
order by submission.version
