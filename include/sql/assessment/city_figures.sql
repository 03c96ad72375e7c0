-- Which figures of the run are the city's? One row per metric.
insert into city_figure
select
    metric.metric,
    metric.value,
    metric.numerator,
    metric.denominator
from mart.metric
where
    metric.run_id = :run_id
    and metric.scope = 'city'
