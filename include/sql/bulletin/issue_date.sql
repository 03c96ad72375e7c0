-- When would a month's bulletin be dated if it is a replay: on the last day of the last of its deadlines.
-- One row; NULL unless everything delivered for the month was replayed.
select
    case
        when bool_and(submission.replayed)
            then (max(deadline.deadline_at) at time zone 'Asia/Shanghai' - interval '1 microsecond')::date
    end as replayed_on
from registry.deadline
inner join intake.submission on deadline.period = submission.period
where deadline.period = :period
