-- What are the figures of the city, and what were they in the month before? One row per metric.
select
    now.metric,
    now.value,
    before.value as value_before
from mart.metric as now
left join mart.metric as before
    on
        before.run_id = :run_before
        and now.metric = before.metric
        and now.scope = before.scope
        and now.scope_code = before.scope_code
where
    now.run_id = :run_id
    and now.metric = any(:metrics)
    and now.scope = 'city'
