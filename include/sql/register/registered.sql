-- Which institutions does the warehouse have, and which do the files no longer name? One row per institution, by code.
select
    code,
    short_name,
    kind,
    division_code,
    opened_on,
    closed_on,
    left_files_at
from registry.institution
order by code
