-- Which figures of the run are the assessed banks' own? One row per bank and metric.
insert into bank_figure
select
    assessed_bank.code,
    metric.metric,
    metric.value,
    metric.numerator,
    metric.denominator
from mart.metric
inner join assessed_bank on metric.scope_code = assessed_bank.code
where
    metric.run_id = :run_id
    and metric.scope = 'bank'
