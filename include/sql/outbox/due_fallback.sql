-- Which mail was laid down in place of a message that failed, and is to be handed over now? One row, or none.
select
    message_key,
    recipient,
    status
from notify.message
where fallback_of = :key and status = 'pending' and due_at <= now()
