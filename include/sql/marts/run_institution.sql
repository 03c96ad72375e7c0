-- Which institutions did the run know, as the register had them? One row per institution.
insert into mart.run_institution
select
    :run_id as run_id,
    known_institution.code,
    known_institution.short_name,
    known_institution.kind,
    known_institution.division_code,
    known_institution.local_legal_person,
    known_institution.is_open
from known_institution
order by known_institution.code
