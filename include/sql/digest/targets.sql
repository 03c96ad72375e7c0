-- Which targets hold in the period? One row per bank.
select
    target.institution_code,
    target.households
from target
order by target.institution_code
