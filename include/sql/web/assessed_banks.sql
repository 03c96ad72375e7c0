-- How do the banks stand in a month? One row per bank, the best first, those without a rank last.
select
    institution.code,
    institution.name,
    institution.short_name,
    assessment.rank,
    assessment.previous_rank,
    assessment.score,
    assessment.previous_score,
    assessment.deductions,
    assessment.grade,
    assessment.reason,
    advice.issue,
    advice.extension,
    advice.reason as advice_reason
from mart.current_run
inner join mart.assessment on current_run.run_id = assessment.run_id
inner join registry.institution on assessment.institution_code = institution.code
left join mart.relending_advice as advice
    on
        assessment.run_id = advice.run_id
        and assessment.institution_code = advice.institution_code
where current_run.period = :period
order by assessment.rank nulls last, institution.code
