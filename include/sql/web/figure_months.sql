-- What was a figure in the assessed months from :first to :period? One row per month, the oldest first.
select
    current_run.period,
    metric.value,
    metric.numerator,
    metric.denominator
from mart.current_run
left join mart.metric
    on
        current_run.run_id = metric.run_id
        and metric.metric = :metric
        and metric.scope = :scope
        and metric.scope_code = :code
where current_run.period between :first and :period
order by current_run.period
