-- Which round of visits was under way in a run? 1 + the number of consecutive rounds, from round 1, that an earlier
-- month had reached, as the runs stood when that run was made. One row.
with earlier as (
    select distinct on (run.period) run.run_id
    from mart.run
    inner join mart.run as explained on explained.run_id = :run_id
    where
        run.period < explained.period
        and run.closed_at < explained.closed_at
    order by run.period asc, run.revision desc
),

reached as (
    select distinct visit_round.round
    from mart.visit_round
    inner join earlier on visit_round.run_id = earlier.run_id
    where visit_round.reached
),

numbered as (
    select
        reached.round,
        row_number() over (order by reached.round) as place
    from reached
)

select 1 + count(*) as current_round
from numbered
where numbered.round = numbered.place
