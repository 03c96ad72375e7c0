-- Until when by the calendar are months open? One row per month that is not closed, and whose deadline nobody has moved
-- for all.
select
    period.period,
    period.deadline_at
from registry.period
where
    not exists (select from intake.close where close.period = period.period)
    and not exists (
        select from registry.deadline_move
        where
            deadline_move.period = period.period
            and deadline_move.institution_code is null
    )
order by period.period
