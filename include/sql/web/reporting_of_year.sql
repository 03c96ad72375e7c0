-- How did an institution report in the year so far? One row per assessed month, the oldest first.
select
    current_run.period,
    count(*) as owed,
    count(*) filter (where reporting.status in ('accepted', 'nil')) as received,
    count(*) filter (where reporting.on_time) as on_time,
    count(*) filter (where reporting.first_pass) as first_pass
from mart.current_run
inner join mart.reporting on current_run.run_id = reporting.run_id
where
    current_run.period between :first and :period
    and reporting.institution_code = :code
group by current_run.period
order by current_run.period
