-- Who did what from the pages? One row per action, the newest first.
select
    action.action_number,
    action.kind,
    action.subject,
    action.period,
    action.reason,
    action.outcome,
    action.acted_by,
    action.acted_at
from registry.action
where
    (cast(:kind as text) is null or action.kind = :kind)
    and (cast(:person as text) is null or action.acted_by = :person)
    and (cast(:period as text) is null or action.period = :period)
    and (cast(:before as bigint) is null or action.action_number < :before)
order by action.action_number desc
limit :first
