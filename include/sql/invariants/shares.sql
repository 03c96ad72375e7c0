-- Which shares and coverages lie outside 0 to 100? One row per figure.
--
-- invariant: shares and coverages lie between 0 and 100
select
    metric.metric as subject,
    concat(metric.scope, ' ', metric.scope_code, ' ', round(metric.value, 4)) as detail
from mart.metric
where
    metric.run_id = :run_id
    and metric.metric = any(:shares)
    and metric.value not between 0 and 100
order by subject, detail
