-- What are the figures of the city, its counties and banks in these months, and which of them are restated?
-- One row per period, scope, subject and metric; NULL values are left out. Restated: the revision before had another.
select
    metric.period,
    metric.scope,
    metric.scope_code,
    metric.metric,
    metric.value,
    coalesce(before.run_id is not null and earlier.value is distinct from metric.value, false) as restated
from mart.metric
inner join mart.run on metric.run_id = run.run_id
left join mart.run as before
    on
        run.period = before.period
        and run.revision = before.revision + 1
left join mart.metric as earlier
    on
        before.run_id = earlier.run_id
        and metric.scope = earlier.scope
        and metric.scope_code = earlier.scope_code
        and metric.metric = earlier.metric
where
    run.current
    and run.period between :first and :last
    and metric.scope <> 'town'
    and metric.value is not null
