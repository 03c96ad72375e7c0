-- Of which wanted steps does no indicator's file say anything? One row per indicator, bank and step.
select
    wanted_step.indicator,
    wanted_step.code,
    wanted_step.step
from wanted_step
left join scenario_item as item
    on
        wanted_step.indicator = item.indicator
        and wanted_step.code = item.code
        and wanted_step.step = item.step
where
    wanted_step.round = :round
    and item.code is null
order by wanted_step.indicator, wanted_step.code, wanted_step.step
