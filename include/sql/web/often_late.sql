-- Who is late, or misses something, again and again? One row per institution with such a month, the worst first.
with newest as (
    select
        current_run.run_id,
        current_run.period
    from mart.current_run
    where current_run.period <= :period
    order by current_run.period desc
    limit :months
),

monthly as (
    select
        newest.period,
        reporting.institution_code,
        count(*) filter (where reporting.status in ('accepted', 'nil') and not reporting.on_time) as late,
        count(*) filter (where reporting.status in ('rejected', 'missing')) as missing
    from newest
    inner join mart.reporting on newest.run_id = reporting.run_id
    group by newest.period, reporting.institution_code
)

select
    institution.code,
    institution.short_name,
    count(*) as months,
    count(*) filter (where monthly.late > 0) as late_months,
    count(*) filter (where monthly.missing > 0) as missing_months,
    sum(monthly.late) as late_reports,
    sum(monthly.missing) as missing_reports,
    max(monthly.period) filter (where monthly.late > 0 or monthly.missing > 0) as last_period
from monthly
inner join registry.institution on monthly.institution_code = institution.code
group by institution.code, institution.short_name
having bool_or(monthly.late > 0 or monthly.missing > 0)
order by
    count(*) filter (where monthly.late > 0 or monthly.missing > 0) desc,
    sum(monthly.late + monthly.missing) desc,
    institution.code asc
