-- How did some banks stand in the newest months that are assessed? One row per month and bank, the oldest first.
with newest as (
    select
        current_run.run_id,
        current_run.period
    from mart.current_run
    where current_run.period <= :period
    order by current_run.period desc
    limit :months
)

select
    newest.period,
    assessment.institution_code,
    assessment.rank,
    assessment.score,
    assessment.deductions,
    assessment.grade
from newest
inner join mart.assessment on newest.run_id = assessment.run_id
where assessment.institution_code = any(:codes)
order by newest.period, assessment.institution_code
