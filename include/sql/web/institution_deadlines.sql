-- Until when may an institution deliver, for the months up to one and those that are not closed?
-- One row per month, the newest first.
with newest as (
    select period.period
    from registry.period
    where period.period <= :period
    order by period.period desc
    limit :months
)

select
    deadline.period,
    deadline.deadline_at,
    deadline.by_calendar_at,
    deadline.reason,
    deadline.moved_at,
    deadline.is_own,
    closed.closed_at
from registry.deadline
left join intake.close as closed on deadline.period = closed.period
where
    deadline.institution_code = :code
    and (
        closed.closed_at is null
        or deadline.period in (
            select newest.period
            from newest
        )
    )
order by deadline.period desc
