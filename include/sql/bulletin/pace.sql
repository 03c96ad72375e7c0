-- How far is each bank on the way to its target of the year, at the end of the month? One row per bank with a target.
select
    institution_code,
    needed_per_month,
    forecast
from mart.current_pace
where period = :period
order by institution_code
