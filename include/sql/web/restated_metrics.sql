-- Which metrics did a restatement change, and from what to what? One row per metric and subject.
select
    restated.figure as metric,
    restated.scope,
    restated.scope_code,
    coalesce(division.name, institution.short_name, restated.scope_code) as subject,
    before.value as value_before,
    before.numerator as numerator_before,
    before.denominator as denominator_before,
    now.value,
    now.numerator,
    now.denominator
from mart.restatement
inner join mart.restated_figure as restated on restatement.run_id = restated.run_id
left join mart.metric as before
    on
        restatement.replaced_run_id = before.run_id
        and restated.figure = before.metric
        and restated.scope = before.scope
        and restated.scope_code = before.scope_code
left join mart.metric as now
    on
        restatement.run_id = now.run_id
        and restated.figure = now.metric
        and restated.scope = now.scope
        and restated.scope_code = now.scope_code
left join registry.division on restated.scope_code = division.code
left join registry.institution on restated.scope_code = institution.code
where
    restatement.run_id = :run_id
    and restated.mart = 'metric'
order by restated.figure, array_position(array['city', 'county', 'bank', 'town'], restated.scope), restated.scope_code
