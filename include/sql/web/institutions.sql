-- Which institutions does the warehouse have, where do they lie, and who is reached there?
-- One row per institution, by code.
with reached as (
    select
        contact.institution_code,
        count(*) filter (where contact.role = 'contact') as contacts,
        count(*) filter (where contact.role = 'leader') as leaders,
        count(*) filter (where contact.added_at is not null) as added
    from registry.contact
    group by contact.institution_code
)

select
    institution.code,
    institution.name,
    institution.short_name,
    institution.kind,
    division.name as division_name,
    institution.division_code,
    institution.local_legal_person,
    institution.opened_on,
    institution.closed_on,
    institution.left_files_at,
    coalesce(reached.contacts, 0) as contacts,
    coalesce(reached.leaders, 0) as leaders,
    coalesce(reached.added, 0) as added
from registry.institution
inner join registry.division on institution.division_code = division.code
left join reached on institution.code = reached.institution_code
where
    cast(:code as text) is null
    or institution.code = :code
order by institution.code
