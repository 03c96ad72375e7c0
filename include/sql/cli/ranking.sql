-- How did a run rank the banks? One row a bank, the best first, those without a rank last.
select
    assessment.rank,
    assessment.institution_code,
    institution.short_name,
    assessment.score,
    assessment.deductions,
    assessment.grade,
    assessment.previous_rank,
    assessment.status,
    assessment.reason
from mart.assessment
inner join registry.institution on assessment.institution_code = institution.code
where assessment.run_id = :run_id
order by assessment.rank nulls last, assessment.institution_code
