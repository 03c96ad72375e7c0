-- Which divisions are there? One row per division.
select
    division.code,
    division.name,
    division.level,
    division.parent_code
from registry.division
order by division.code
