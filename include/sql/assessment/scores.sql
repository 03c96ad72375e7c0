-- What score, grade and place among the others as they are does each of these scenarios give
-- (docs/figures.md#assessment)? One row per bank and scenario; of the indicators that a scenario does not move, the
-- points are those of what is.
with item as (
    select scenario_item.*
    from scenario_item
    where scenario_item.round = :round
    union all
    select
        scenario.code,
        scenario.scenario,
        scenario.step,
        scenario.round,
        actual.indicator,
        actual.raw,
        actual.points
    from scenario
    inner join scenario_item as actual
        on
            scenario.code = actual.code
            and actual.scenario = 'actual'
            and scenario.scenario <> actual.indicator
    where
        scenario.round = :round
        and scenario.scenario <> 'actual'
),

weighted as (
    select
        item.code,
        item.scenario,
        item.step,
        item.round,
        max(item.raw) filter (where item.indicator = item.scenario) as raw,
        max(item.points) filter (where item.indicator = item.scenario) as points,
        100 * sum(weighed.weight * item.points)
        / sum(weighed.weight) filter (where item.points is not null) as score
    from item
    inner join jsonb_to_recordset(cast(:weights as jsonb)) as weighed (indicator text, weight numeric)
        on item.indicator = weighed.indicator
    group by item.code, item.scenario, item.step, item.round
),

scored as (
    select
        weighted.code,
        weighted.scenario,
        weighted.step,
        weighted.round,
        weighted.raw,
        weighted.points,
        scenario.deductions,
        -- Quotients that do not end are kept to some sixteen digits: what is exactly a half shall not fall below it.
        round(round(greatest(0, weighted.score - scenario.deductions), 12), 2) as score
    from weighted
    inner join scenario
        on
            weighted.code = scenario.code
            and weighted.scenario = scenario.scenario
            and weighted.step = scenario.step
),

-- Once, not for each scenario.
actual as materialized (
    select
        scored.code,
        scored.score
    from scored
    where scored.scenario = 'actual'
    union all
    select
        scenario_score.code,
        scenario_score.score
    from scenario_score
    where scenario_score.scenario = 'actual'
)

insert into scenario_score
select
    scored.code,
    scored.scenario,
    scored.step,
    scored.round,
    scored.raw,
    scored.points,
    scored.deductions,
    scored.score,
    (
        select band.grade
        from jsonb_to_recordset(cast(:grades as jsonb)) as band (grade text, at_least numeric)
        where scored.score >= band.at_least
        order by band.at_least desc
        limit 1
    ) as grade,
    (
        select 1 + count(*)
        from actual
        where
            actual.code <> scored.code
            and actual.score > scored.score
    ) as rank
from scored
