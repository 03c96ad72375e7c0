-- Where does each bank stand in these months?
-- One row per period and bank, the ranked ones first.
select
    assessment.period,
    assessment.institution_code,
    assessment.score,
    assessment.deductions,
    assessment.grade,
    assessment.rank,
    assessment.previous_rank,
    assessment.reason
from mart.current_assessment as assessment
where assessment.period between :first and :last
order by assessment.period, assessment.rank, assessment.institution_code
