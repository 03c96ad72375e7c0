-- Which institutions count in the period, or delivered what the run uses, as the register has them?
-- One row per institution.
select
    institution.code,
    institution.short_name,
    institution.kind,
    institution.division_code,
    institution.local_legal_person,
    institution.code in (select open_institution.code from open_institution) as is_open
from registry.institution
where
    institution.code in (select open_institution.code from open_institution)
    or institution.code in (select run_version.institution_code from run_version)
order by institution.code
