-- Which institutions does the warehouse have? One row per institution, by code.
select
    code,
    name,
    short_name,
    kind,
    division_code,
    local_legal_person,
    opened_on,
    closed_on
from registry.institution
order by code
