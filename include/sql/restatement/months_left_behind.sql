-- Which later months stand on the figures of a month that was restated since? One row per restated month.
select
    restated.period,
    max(restated.closed_at) as restated_at,
    array_agg(later.period order by later.period) as later_periods
from mart.current_run as restated
inner join
    mart.current_run as later
    on
        restated.period < later.period
        and restated.closed_at > later.closed_at
where restated.revision > 1
group by restated.period
order by restated.period
