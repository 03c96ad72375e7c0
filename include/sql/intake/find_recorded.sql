-- Which version holds these very bytes? One row at most, the newest.
-- A version is passed over that was rejected for what another institution had delivered, where that one has had the
-- report accepted anew since; unless it is of this very delivery, looked at once more.
select
    submission.submission_id,
    submission.version,
    submission.delivered_at
from intake.submission
where
    submission.period = :period
    and submission.institution_code = :institution_code
    and submission.digest = :digest
    and (
        submission.delivered_at is not distinct from :delivered_at
        or not exists (
            select
            from intake.finding
            inner join intake.report on finding.report = report.report
            inner join intake.submission as elsewhere
                on
                    report.submission_id = elsewhere.submission_id
                    and submission.period = elsewhere.period
                    and submission.institution_code <> elsewhere.institution_code
                    and submission.recorded_at < elsewhere.recorded_at
            where
                finding.submission_id = submission.submission_id
                and finding.rule = any(:rules)
                and report.verdict in ('accepted', 'nil')
        )
    )
order by submission.version desc
limit 1
