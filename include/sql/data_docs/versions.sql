-- Which reports did the versions of a period hold, and which of them were frozen? One row a report of a version.
select
    submission.submission_id,
    submission.institution_code,
    institution.short_name,
    submission.version,
    submission.received_at,
    report.report,
    report.rows,
    report.verdict,
    report.validated,
    frozen.submission_id is not null as is_frozen
from intake.report
inner join intake.submission on report.submission_id = submission.submission_id
inner join registry.institution on submission.institution_code = institution.code
left join intake.frozen_report as frozen
    on
        report.submission_id = frozen.submission_id
        and report.report = frozen.report
where submission.period = :period
order by submission.institution_code, submission.version, report.report
