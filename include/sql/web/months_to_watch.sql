-- Which months can files still come for that somebody waits for? One row per month that is open, or that was closed
-- not long ago, with when that was.
select
    period.period,
    closed.closed_at
from registry.period
left join intake.close as closed on period.period = closed.period
where
    closed.closed_at is null
    or closed.closed_at > now() - cast(:recently as interval)
order by period.period
