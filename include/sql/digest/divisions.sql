-- Which divisions are there? One row per division.
select
    known_division.code,
    known_division.name,
    known_division.level,
    known_division.parent_code
from known_division
order by known_division.code
