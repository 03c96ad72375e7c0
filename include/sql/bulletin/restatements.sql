-- Which restatements have replaced the runs of a published bulletin since it went out?
-- One row per restatement, in the order of months and revisions.
select
    run.period,
    restatement.reason,
    run.closed_at as decided_at
from mart.restatement
inner join mart.run on restatement.run_id = run.run_id
inner join mart.run as published
    on
        published.run_id = any(:published_runs)
        and run.period = published.period
        and run.revision > published.revision
order by
    run.period,
    run.revision
