-- How often did an institution's report pass at its first delivery, in the assessed months from :first to :period?
-- One row per institution and report, by institution.
select
    reporting.institution_code,
    institution.short_name,
    reporting.report,
    count(*) filter (where reporting.status in ('accepted', 'nil')) as received,
    count(*) filter (where reporting.first_pass) as first_passed
from mart.current_run
inner join mart.reporting on current_run.run_id = reporting.run_id
inner join registry.institution on reporting.institution_code = institution.code
where current_run.period between :first and :period
group by reporting.institution_code, institution.short_name, reporting.report
order by reporting.institution_code, reporting.report
