-- How many points (0 to 1) does each assessed bank get for each indicator, and why (docs/figures.md#assessment)?
-- One row per bank with both ledger and position, and indicator; points are NULL where it is not assessed.
insert into mart.assessment_item
select
    :run_id as run_id,
    :period as period,
    item.code,
    item.indicator,
    weighed.weight,
    item.raw,
    item.points,
    item.note
from scenario_item as item
inner join
    jsonb_to_recordset(cast(:indicators as jsonb)) as weighed (indicator text, weight numeric, place integer)
    on item.indicator = weighed.indicator
where item.step = 0
order by item.code, weighed.place
