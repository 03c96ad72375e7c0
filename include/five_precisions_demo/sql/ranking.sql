-- How were the banks ranked in a month? One row a bank, the best first, those without a rank last.
select
    assessment.rank,
    assessment.institution_code,
    institution.short_name,
    assessment.score,
    assessment.grade,
    assessment.previous_rank,
    assessment.reason
from mart.current_assessment as assessment
inner join registry.institution on assessment.institution_code = institution.code
where assessment.period = :period
order by assessment.rank nulls last, assessment.institution_code
