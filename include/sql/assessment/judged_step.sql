-- Which of the steps that were judged are enough: win a place, or, where not even the farthest wins one, give as many
-- points as that one? One row per bank, indicator and step; more is never worse.
create temporary view judged_step as
with farthest as (
    select distinct on (scenario_score.code, scenario_score.scenario)
        scenario_score.code,
        scenario_score.scenario,
        scenario_score.points,
        scenario_score.rank
    from scenario_score
    order by scenario_score.code asc, scenario_score.scenario asc, scenario_score.step desc
)

select
    step.code,
    step.scenario as indicator,
    step.step,
    case
        when farthest.rank < actual.rank then step.rank < actual.rank
        else step.points >= farthest.points
    end as is_enough
from scenario_score as step
inner join scenario_score as actual
    on
        actual.scenario = 'actual'
        and step.code = actual.code
inner join farthest
    on
        step.code = farthest.code
        and step.scenario = farthest.scenario
where step.scenario <> 'actual'
