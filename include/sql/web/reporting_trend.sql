-- How well was reported in the assessed months from :first to :period? One row per month, the oldest first.
select
    current_run.period,
    count(*) as owed,
    count(*) filter (where reporting.status in ('accepted', 'nil')) as accepted,
    count(*) filter (where reporting.status in ('accepted', 'nil') and reporting.on_time) as on_time,
    count(*) filter (where reporting.first_pass) as first_pass,
    count(*) filter (where reporting.status = 'rejected') as rejected,
    count(*) filter (where reporting.status = 'missing') as missing
from mart.current_run
inner join mart.reporting on current_run.run_id = reporting.run_id
where current_run.period between :first and :period
group by current_run.period
order by current_run.period
