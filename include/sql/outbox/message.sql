-- What is handed over as one message, and is it due? One row.
select
    message_key,
    status,
    due_at <= now() as is_due,
    institution_code,
    recipient,
    subject,
    html,
    refusals
from notify.message
where message_key = :key
