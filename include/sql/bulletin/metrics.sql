-- What are the figures of the city, its counties and banks in these months?
-- One row per period, scope, subject and metric; NULL values are left out.
select
    period,
    scope,
    scope_code,
    metric,
    value
from mart.current_metric
where
    period between :first and :last
    and scope <> 'town'
    and value is not null
