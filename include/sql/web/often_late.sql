-- Who was late, or missed something, again and again from :first to :period? One row per institution with such a month,
-- the worst first.
with monthly as (
    select
        current_run.period,
        reporting.institution_code,
        count(*) filter (where reporting.status in ('accepted', 'nil') and not reporting.on_time) as late,
        count(*) filter (where reporting.status in ('rejected', 'missing')) as missing
    from mart.current_run
    inner join mart.reporting on current_run.run_id = reporting.run_id
    where current_run.period between :first and :period
    group by current_run.period, reporting.institution_code
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
