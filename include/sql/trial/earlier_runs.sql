-- On which runs of earlier months does a run build, as they stood when it was made (docs/figures.md#trial)?
-- One row per earlier month that was assessed by then.
select distinct on (run.period)
    run.run_id,
    run.period
from mart.run
inner join mart.run as tried on tried.run_id = :run_id
where
    run.period < tried.period
    and run.closed_at < tried.closed_at
order by run.period asc, run.revision desc
