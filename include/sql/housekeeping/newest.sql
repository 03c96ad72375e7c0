-- How does each task of housekeeping stand? One row per task that ever ran; the moment of its last success beside it.
with succeeded as (
    select
        housekeeping.task,
        max(housekeeping.done_at) as succeeded_at
    from registry.housekeeping
    where housekeeping.outcome = 'done'
    group by housekeeping.task
)

select distinct on (housekeeping.task)
    housekeeping.task,
    housekeeping.done_at,
    housekeeping.outcome,
    housekeeping.sentence,
    housekeeping.detail,
    succeeded.succeeded_at
from registry.housekeeping
left join succeeded on housekeeping.task = succeeded.task
order by housekeeping.task asc, housekeeping.housekeeping_number desc
