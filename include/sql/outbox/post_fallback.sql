-- Lays a message that failed down once more for a mail address; written: one message, whose key comes back, or none
-- where it is there already.
insert into notify.message (
    message_key, kind, period, recipient, status, run_id, institution_code, subject, html, fallback_of
)
select
    :fallback_key as message_key,
    kind,
    period,
    :recipient as recipient,
    'pending' as status,
    run_id,
    institution_code,
    subject,
    html,
    message_key as fallback_of
from notify.message
where message_key = :key
on conflict (message_key) do nothing
returning message_key
