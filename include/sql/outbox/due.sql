-- Which messages are to be handed over now, or were when their sender ended, of the keys or of all?
-- One row per message, the oldest first.
select
    message_key,
    recipient,
    status
from notify.message
where
    ((status = 'pending' and due_at <= now()) or status = 'sending')
    and (cast(:keys as text[]) is null or message_key = any(cast(:keys as text[])))
order by created_at, message_key
