-- Which months are closed up to this one, and by which run computed? One row per month, in their order. Nobody reopens
-- one of them, or freezes it anew, while a run is made of it.
select
    close.period,
    run.run_id
from intake.close
left join mart.current_run as run on close.period = run.period
where close.period <= :period
order by close.period
for share of close
