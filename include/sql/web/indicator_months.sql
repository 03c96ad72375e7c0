-- What did a bank get in each indicator in the newest months that are assessed? One row per month and indicator.
with newest as (
    select
        current_run.run_id,
        current_run.period
    from mart.current_run
    where current_run.period <= :period
    order by current_run.period desc
    limit :months
)

select
    newest.period,
    item.indicator,
    item.weight,
    item.points
from newest
inner join mart.assessment_item as item on newest.run_id = item.run_id
where item.institution_code = :code
order by newest.period
