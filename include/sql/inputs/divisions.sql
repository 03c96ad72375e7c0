-- Which divisions does a run know, as the register has them? One row per division.
insert into known_division
select
    division.code,
    division.name,
    division.level,
    division.parent_code
from registry.division
