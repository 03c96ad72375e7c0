-- Which divisions did a run know, as the register had them when it was made? One row per division.
insert into known_division
select
    run_division.code,
    run_division.name,
    run_division.level,
    run_division.parent_code
from mart.run_division
where run_division.run_id = :run_id
