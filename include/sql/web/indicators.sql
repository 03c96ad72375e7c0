-- What makes up the banks' scores of a month? One row per ranked bank and indicator.
select
    item.institution_code,
    item.indicator,
    item.weight,
    item.raw,
    item.points,
    item.note
from mart.current_run
inner join mart.assessment_item as item on current_run.run_id = item.run_id
where current_run.period = :period
