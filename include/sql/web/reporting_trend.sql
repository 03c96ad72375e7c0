-- How well was reported in the newest months that are assessed? One row per month, the oldest first.
with newest as (
    select
        current_run.run_id,
        current_run.period
    from mart.current_run
    where current_run.period <= :period
    order by current_run.period desc
    limit :months
)

select
    newest.period,
    count(*) as owed,
    count(*) filter (where reporting.status in ('accepted', 'nil')) as accepted,
    count(*) filter (where reporting.status in ('accepted', 'nil') and reporting.on_time) as on_time,
    count(*) filter (where reporting.first_pass) as first_pass,
    count(*) filter (where reporting.status = 'rejected') as rejected,
    count(*) filter (where reporting.status = 'missing') as missing
from newest
inner join mart.reporting on newest.run_id = reporting.run_id
group by newest.period
order by newest.period
