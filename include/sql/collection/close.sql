-- Closes a period, or closes it once more, after all that it freezes was recorded, even where the clock was set back
-- in between. One row: when it is closed, and by whose force.
insert into intake.close (period, closed_at, forced_by, forced_reason)
select
    :period as period,
    greatest(cast(:now as timestamptz), max(recorded_at)) as closed_at,
    :forced_by as forced_by,
    :forced_reason as forced_reason
from intake.submission
where period = :period
on conflict (period) do update
    set
        closed_at = greatest(close.closed_at, excluded.closed_at),
        forced_by = coalesce(excluded.forced_by, close.forced_by),
        forced_reason = coalesce(excluded.forced_reason, close.forced_reason)
returning closed_at, forced_by, forced_reason
