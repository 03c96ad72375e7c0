-- The city and its counties.
-- One row per division, without the towns.
select
    code,
    name,
    level
from registry.division
where level in ('city', 'county')
order by code
