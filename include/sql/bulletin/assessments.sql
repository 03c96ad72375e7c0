-- Where does each bank stand in these months, and whose standing is restated?
-- One row per period and bank, the ranked ones first. Restated: the revision before had another score, rank or grade.
select
    assessment.period,
    assessment.institution_code,
    assessment.score,
    assessment.deductions,
    assessment.grade,
    assessment.rank,
    assessment.previous_rank,
    assessment.previous_score,
    assessment.reason,
    coalesce(
        before.run_id is not null
        and (earlier.score, earlier.deductions, earlier.grade, earlier.rank)
        is distinct from (assessment.score, assessment.deductions, assessment.grade, assessment.rank),
        false
    ) as restated
from mart.assessment
inner join mart.run on assessment.run_id = run.run_id
left join mart.run as before
    on
        run.period = before.period
        and run.revision = before.revision + 1
left join mart.assessment as earlier
    on
        before.run_id = earlier.run_id
        and assessment.institution_code = earlier.institution_code
where
    run.current
    and run.period between :first and :last
order by assessment.period, assessment.rank, assessment.institution_code
