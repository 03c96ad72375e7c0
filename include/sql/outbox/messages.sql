-- Which messages does the outbox hold, of one status, period or kind, or of all? One row per message, the oldest first.
select
    message_key,
    kind,
    period,
    recipient,
    institution_code,
    subject,
    status,
    created_at,
    due_at,
    sent_at,
    attempts,
    run_id,
    reply,
    fallback_of
from notify.message
where
    (cast(:status as text) is null or status = :status)
    and (cast(:period as text) is null or period = :period)
    and (cast(:kind as text) is null or kind = :kind)
order by created_at, message_key
