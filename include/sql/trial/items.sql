-- What does each bank of a run get in each indicator, and what would it by the tried scheme (docs/figures.md#trial)?
-- One row per bank that is judged and indicator.
with stored as (
    select
        assessment_item.institution_code as code,
        assessment_item.indicator,
        assessment_item.weight,
        assessment_item.raw,
        assessment_item.points
    from mart.assessment_item
    where assessment_item.run_id = :run_id
),

tried as (
    select
        item.code,
        item.indicator,
        item.raw,
        item.points
    from scenario_item as item
    where item.step = 0
)

select
    coalesce(stored.code, tried.code) as code,
    coalesce(stored.indicator, tried.indicator) as indicator,
    stored.weight as weight_before,
    stored.raw as raw_before,
    stored.points as points_before,
    tried.raw as raw_after,
    tried.points as points_after
from stored
full outer join tried
    on
        stored.code = tried.code
        and stored.indicator = tried.indicator
order by 1, 2
