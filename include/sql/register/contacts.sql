-- Who is reached at an institution, or at all, and who added it? One row per contact, by institution, role and address.
select
    contact.institution_code,
    contact.address,
    contact.role,
    contact.fallback_address,
    contact.added_by,
    contact.added_at,
    contact.reason
from registry.contact
where
    cast(:institution_code as text) is null
    or contact.institution_code = :institution_code
order by contact.institution_code, contact.role, contact.address
