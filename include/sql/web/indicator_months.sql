-- What did a bank get in each indicator in the assessed months from :first to :period? One row per month and indicator.
select
    current_run.period,
    item.indicator,
    item.weight,
    item.points
from mart.current_run
inner join mart.assessment_item as item on current_run.run_id = item.run_id
where
    current_run.period between :first and :period
    and item.institution_code = :code
order by current_run.period
