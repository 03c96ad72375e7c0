-- What score, grade and place among the others as they are does each scenario of a round give
-- (docs/figures.md#assessment)? One row per bank and scenario; of the indicators that a scenario does not move, the
-- points are those of what is.
with item as (
    select
        actual.code,
        'actual' as scenario,
        actual.step,
        actual.indicator,
        actual.raw,
        actual.points
    from scenario_item as actual
    where
        :round = 0
        and actual.step = 0
    union all
    select
        moved.code,
        moved.indicator as scenario,
        moved.step,
        moved.indicator,
        moved.raw,
        moved.points
    from scenario_item as moved
    where
        :round > 0
        and moved.round = :round
    union all
    select
        moved.code,
        moved.indicator as scenario,
        moved.step,
        actual.indicator,
        actual.raw,
        actual.points
    from scenario_item as moved
    inner join scenario_item as actual
        on
            moved.code = actual.code
            and actual.step = 0
            and moved.indicator <> actual.indicator
    where
        :round > 0
        and moved.round = :round
),

weighted as (
    select
        item.code,
        item.scenario,
        item.step,
        max(item.raw) filter (where item.indicator = item.scenario) as raw,
        max(item.points) filter (where item.indicator = item.scenario) as points,
        100 * sum(weighed.weight * item.points)
        / sum(weighed.weight) filter (where item.points is not null) as score
    from item
    inner join jsonb_to_recordset(cast(:indicators as jsonb)) as weighed (indicator text, weight numeric)
        on item.indicator = weighed.indicator
    group by item.code, item.scenario, item.step
),

scored as (
    select
        weighted.code,
        weighted.scenario,
        weighted.step,
        weighted.raw,
        weighted.points,
        bank.deductions,
        -- Quotients that do not end are kept to some sixteen digits: what is exactly a half shall not fall below it.
        round(round(greatest(0, weighted.score - bank.deductions), 12), 2) as score
    from weighted
    inner join assessed_bank as bank on weighted.code = bank.code
),

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
),

ordered as (
    select array_agg(actual.score order by actual.score) as scores
    from actual
),

grade_band as (
    select
        array_agg(declared.at_least order by declared.at_least) as bounds,
        array_agg(declared.grade order by declared.at_least) as grades
    from jsonb_to_recordset(cast(:grades as jsonb)) as declared (grade text, at_least numeric)
)

insert into scenario_score
select
    scored.code,
    scored.scenario,
    scored.step,
    scored.raw,
    scored.points,
    scored.deductions,
    scored.score,
    -- width_bucket() says how many of the bounds the score has reached, and how many banks are not above it.
    grade_band.grades[width_bucket(scored.score, grade_band.bounds)] as grade,
    1 + cardinality(ordered.scores) - width_bucket(scored.score, ordered.scores)
    - case when own.score > scored.score then 1 else 0 end as rank
from scored
inner join actual as own on scored.code = own.code
cross join ordered
cross join grade_band
