-- Whom have we written to that files lack a cover (docs/reports.md#rules, F08)? One row per month and institution, with
-- when that was last.
select
    message.period,
    message.institution_code,
    max(message.created_at) as notified_at
from notify.message
where
    message.kind = 'reminder'
    and message.period = any(:periods)
    and message.message_key like '%/coverless-%'
group by message.period, message.institution_code
