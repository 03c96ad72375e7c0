-- Puts off the deadline of a month that is not closed; written: one month, or none where it is as late already.
update registry.period
set deadline_at = :deadline_at
where
    period = :period
    and deadline_at < :deadline_at
    and not exists (select from intake.close where close.period = :period)
