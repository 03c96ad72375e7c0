-- What has each run of a month found for a figure, and why was it made? One row per run, the newest first.
select
    run.run_id,
    run.closed_at,
    run.input_digest,
    run.current as is_current,
    restatement.reason,
    metric.value,
    metric.numerator,
    metric.denominator
from mart.run
left join mart.restatement on run.run_id = restatement.run_id
left join mart.metric
    on
        run.run_id = metric.run_id
        and metric.metric = :metric
        and metric.scope = :scope
        and metric.scope_code = :code
where run.period = :period
order by run.revision desc
