-- Which runs of earlier months does the run build on (ranks, cases, rounds of visits, a month ago)? One row per month.
select
    run.run_id,
    run.input_digest,
    run.code_version
from mart.run
where
    run.current
    and run.period < :period
order by run.period
