-- When would a month's bulletin be dated if it is a replay: on the last day of the month's deadline.
-- One row; NULL unless everything delivered for the month was replayed.
select
    case
        when bool_and(submission.replayed)
            then (max(period.deadline_at) at time zone 'Asia/Shanghai' - interval '1 microsecond')::date
    end as replayed_on
from registry.period
inner join intake.submission on period.period = submission.period
where period.period = :period
