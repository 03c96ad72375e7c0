-- What else did a restatement change: assessments, boards, alerts, scores of households? One row per figure.
select
    restated.mart,
    restated.scope,
    coalesce(division.name, institution.short_name, restated.scope_code) as subject,
    restated.figure,
    restated.before,
    restated.after
from mart.restated_figure as restated
left join registry.division on restated.scope_code = division.code
left join registry.institution on restated.scope_code = institution.code
where
    restated.run_id = :run_id
    and restated.mart <> 'metric'
order by restated.mart, restated.scope, restated.scope_code, restated.figure
