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
    assessment.previous_score,
    assessment.reason
from mart.assessment
inner join mart.run on assessment.run_id = run.run_id
where
    run.current
    and run.period between :first and :last
order by assessment.period, assessment.rank, assessment.institution_code
