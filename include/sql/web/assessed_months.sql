-- How did some banks stand in the assessed months from :first to :period? One row per month and bank, the oldest first.
select
    current_run.period,
    assessment.institution_code,
    assessment.rank,
    assessment.score,
    assessment.deductions,
    assessment.grade
from mart.current_run
inner join mart.assessment on current_run.run_id = assessment.run_id
where
    current_run.period between :first and :period
    and assessment.institution_code = any(:codes)
order by current_run.period, assessment.institution_code
