-- What has an institution delivered for a month? One row per version, the newest first.
select
    submission.submission_id,
    submission.version,
    submission.received_at,
    submission.verdict,
    submission.submitted_by,
    submission.received_at < deadline.deadline_at as on_time,
    (
        select count(*)
        from intake.file
        where file.submission_id = submission.submission_id
    ) as files,
    coalesce(sum(report.errors), 0) as errors,
    coalesce(sum(report.warnings), 0) as warnings,
    exists(
        select from intake.finding
        where finding.submission_id = submission.submission_id
    ) as has_findings
from intake.submission
inner join registry.deadline
    on submission.period = deadline.period and submission.institution_code = deadline.institution_code
left join intake.report on submission.submission_id = report.submission_id
where
    submission.period = :period
    and submission.institution_code = :institution_code
group by submission.submission_id, deadline.deadline_at
order by submission.version desc
