-- Which institutions count in the period, or delivered what the run uses, as the register has them?
-- One row per institution.
select
    known_institution.code,
    known_institution.short_name,
    known_institution.kind,
    known_institution.division_code,
    known_institution.local_legal_person,
    known_institution.is_open
from known_institution
order by known_institution.code
