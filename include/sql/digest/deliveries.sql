-- Which deliveries does the run know of, used or not? A10 and A18 read what was found in them and said with them.
-- One row per delivery that no earlier close knew of.
select
    submission.period,
    submission.institution_code,
    submission.version,
    submission.digest
from intake.submission
inner join intake.close on close.period = :period
where
    submission.period <= :period
    and (
        submission.recorded_at <= close.closed_at
        or submission.submission_id in (select run_version.submission_id from run_version)
    )
    and (
        submission.period = :period
        or submission.recorded_at > (
            select max(earlier.closed_at)
            from intake.close as earlier
            where earlier.period < :period
        )
    )
order by submission.period, submission.institution_code, submission.version
