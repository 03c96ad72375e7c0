-- How much more would surely bring an indicator of a bank to full points? One row per bank and indicator that is
-- assessed and has not got them, and where there is such a step.
insert into wanted_step
select
    item.indicator,
    item.code,
    item.farthest as step,
    :round as round
from scenario_item as item
where
    item.step = 0
    and item.points < 1
    and item.farthest > 0
