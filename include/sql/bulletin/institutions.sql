-- Whom do the results speak of: all institutions, and whether they are open at the end of the month.
-- One row per institution.
select
    code,
    name,
    short_name,
    kind,
    division_code,
    opened_on <= :period_end and (closed_on is null or closed_on > :period_end) as is_open
from registry.institution
order by code
