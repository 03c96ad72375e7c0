-- Which institutions count in the period? Those open on its last day. One row per institution.
insert into open_institution
select
    institution.code,
    institution.short_name,
    institution.kind,
    institution.division_code,
    institution.local_legal_person
from registry.institution
where
    institution.opened_on <= :period_end
    and (institution.closed_on is null or institution.closed_on > :period_end)
