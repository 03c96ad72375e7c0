-- Which divisions did the run know, as the register had them? One row per division.
insert into mart.run_division
select
    :run_id as run_id,
    known_division.code,
    known_division.name,
    known_division.level,
    known_division.parent_code
from known_division
order by known_division.code
