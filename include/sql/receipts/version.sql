-- What does the receipt of a version say of its delivery? One row.
select
    submission.submission_id,
    submission.period,
    submission.institution_code,
    institution.name as institution_name,
    institution.short_name,
    submission.version,
    submission.verdict,
    submission.received_at,
    submission.replayed,
    submission.submitted_by,
    deadline.deadline_at,
    (
        select max(other.version)
        from intake.submission as other
        where other.period = submission.period and other.institution_code = submission.institution_code
    ) as newest_version
from intake.submission
inner join registry.institution on submission.institution_code = institution.code
inner join registry.deadline
    on submission.period = deadline.period and submission.institution_code = deadline.institution_code
where submission.submission_id = :submission_id
