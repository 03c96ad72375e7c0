-- What was a figure in the newest months that are assessed? One row per month, the oldest first.
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
    metric.value,
    metric.numerator,
    metric.denominator
from newest
left join mart.metric
    on
        newest.run_id = metric.run_id
        and metric.metric = :metric
        and metric.scope = :scope
        and metric.scope_code = :code
order by newest.period
