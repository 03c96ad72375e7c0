-- Whose report of the period is in? One row per report and institution; county_code is that of a county office.
insert into present
select
    run_version.report,
    run_version.institution_code,
    case when institution.kind = 'county_office' then institution.division_code end as county_code
from run_version
inner join known_institution as institution on run_version.institution_code = institution.code
where run_version.period = :period
