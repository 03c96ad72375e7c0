-- Which versions of the month's reports take the place of others? One row per institution and report where a restated
-- run uses another version than the one that it replaces.
with before as (
    select
        used.institution_code,
        used.report,
        submission.version
    from mart.run_input as used
    inner join intake.submission on used.submission_id = submission.submission_id
    where
        used.run_id = :replaced_run_id
        and used.period = :period
),

after as (
    select
        used.institution_code,
        used.report,
        submission.version
    from mart.run_input as used
    inner join intake.submission on used.submission_id = submission.submission_id
    where
        used.run_id = :run_id
        and used.period = :period
)

select
    coalesce(before.institution_code, after.institution_code) as institution_code,
    coalesce(before.report, after.report) as report,
    before.version as before,
    after.version as after
from before
full outer join after
    on
        before.institution_code = after.institution_code
        and before.report = after.report
where before.version is distinct from after.version
order by 1, 2
