-- Which institutions count in the period? Those open on its last day. One row per institution.
insert into open_institution
select
    known_institution.code,
    known_institution.short_name,
    known_institution.kind,
    known_institution.division_code,
    known_institution.local_legal_person
from known_institution
where known_institution.is_open
