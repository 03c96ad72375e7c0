-- How often did an institution's report pass at its first delivery, in the newest months that are assessed?
-- One row per institution and report, by institution.
with newest as (
    select current_run.run_id
    from mart.current_run
    where current_run.period <= :period
    order by current_run.period desc
    limit :months
)

select
    reporting.institution_code,
    institution.short_name,
    reporting.report,
    count(*) filter (where reporting.status in ('accepted', 'nil')) as received,
    count(*) filter (where reporting.first_pass) as first_passed
from newest
inner join mart.reporting on newest.run_id = reporting.run_id
inner join registry.institution on reporting.institution_code = institution.code
group by reporting.institution_code, institution.short_name, reporting.report
order by reporting.institution_code, reporting.report
