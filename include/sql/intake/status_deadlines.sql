-- Until when could institutions deliver for a period, and was it closed? One row an institution.
select
    deadline.institution_code,
    deadline.deadline_at,
    closed.closed_at,
    closed.forced_by,
    closed.forced_reason
from registry.deadline
left join intake.close as closed on deadline.period = closed.period
where deadline.period = :period
