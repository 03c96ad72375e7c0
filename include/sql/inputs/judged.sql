-- Which judged versions of the period's reports count? One row per version and report.
-- What was recorded before the close, and up to the version that the run names: what came later does not count.
insert into judged
select
    submission.institution_code,
    report.report,
    submission.version,
    submission.received_at,
    report.verdict,
    report.errors,
    report.warnings
from intake.report
inner join intake.submission on report.submission_id = submission.submission_id
inner join intake.close on submission.period = close.period
left join run_version
    on
        submission.period = run_version.period
        and submission.institution_code = run_version.institution_code
        and report.report = run_version.report
left join intake.submission as named on run_version.submission_id = named.submission_id
where
    submission.period = :period
    and (
        submission.recorded_at <= close.closed_at
        or submission.version <= named.version
    )
