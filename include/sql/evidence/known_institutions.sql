-- Which institutions did a run know, as the register had them when it was made? One row per institution.
insert into known_institution
select
    run_institution.code,
    run_institution.short_name,
    run_institution.kind,
    run_institution.division_code,
    run_institution.local_legal_person,
    run_institution.is_open
from mart.run_institution
where run_institution.run_id = :run_id
