-- What are the figures of the city, its counties and banks in these months?
-- One row per period, scope, subject and metric; NULL values are left out.
select
    metric.period,
    metric.scope,
    metric.scope_code,
    metric.metric,
    metric.value
from mart.metric
inner join mart.run on metric.run_id = run.run_id
where
    run.current
    and run.period between :first and :last
    and metric.scope <> 'town'
    and metric.value is not null
