-- What are the city's figures of a month? One row a metric.
select
    metric,
    value
from mart.current_metric
where
    scope = 'city'
    and period = :period
