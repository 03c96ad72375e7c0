-- How were deadlines moved, for an institution or, where none is named, for anybody? In the months up to one and those
-- that are not closed; one row per decision, the newest first.
with newest as (
    select period.period
    from registry.period
    where period.period <= :period
    order by period.period desc
    limit :months
)

select
    deadline_move.period,
    deadline_move.institution_code,
    institution.short_name,
    deadline_move.deadline_at,
    deadline_move.reason,
    deadline_move.moved_at
from registry.deadline_move
left join registry.institution on deadline_move.institution_code = institution.code
where
    (
        cast(:code as text) is null
        or deadline_move.institution_code is null
        or deadline_move.institution_code = :code
    )
    and (
        not exists (
            select from intake.close
            where close.period = deadline_move.period
        )
        or deadline_move.period in (
            select newest.period
            from newest
        )
    )
order by deadline_move.move_number desc
