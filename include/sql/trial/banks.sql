-- How does each bank of a run stand, and how would it by the tried scheme (docs/figures.md#trial)? One row per bank:
-- who would be first comes first, who has no rank last.
select
    assessment.institution_code as code,
    institution.short_name,
    assessment.status,
    assessment.reason,
    assessment.previous_rank,
    assessment.score as score_before,
    assessment.deductions as deductions_before,
    assessment.grade as grade_before,
    assessment.rank as rank_before,
    tried.score as score_after,
    tried.deductions as deductions_after,
    tried.grade as grade_after,
    tried.rank as rank_after
from mart.assessment
inner join mart.run_institution as institution
    on
        assessment.run_id = institution.run_id
        and assessment.institution_code = institution.code
left join scenario_score as tried
    on
        tried.scenario = 'actual'
        and assessment.institution_code = tried.code
where assessment.run_id = :run_id
order by tried.rank nulls last, assessment.institution_code
