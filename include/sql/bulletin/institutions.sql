-- Whom and what do the results speak of: the institutions open at the end of the month.
-- One row per institution.
select
    code,
    name,
    short_name,
    kind,
    division_code
from registry.institution
where
    opened_on <= :period_end
    and (closed_on is null or closed_on > :period_end)
order by code
