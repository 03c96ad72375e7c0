-- Which messages does the outbox hold, of some kinds, a period, a status, or one key? One row per message, the newest
-- first, from below the message that `before` names.
select
    message.message_key,
    message.kind,
    message.period,
    message.recipient,
    message.institution_code,
    institution.short_name,
    message.subject,
    message.status,
    message.created_at,
    message.due_at,
    message.sent_at,
    message.attempts,
    message.reply,
    message.fallback_of
from notify.message
inner join registry.institution on message.institution_code = institution.code
where
    (cast(:kinds as text[]) is null or message.kind = any(:kinds))
    and (cast(:period as text) is null or message.period = :period)
    and (cast(:status as text) is null or message.status = :status)
    and (cast(:message_key as text) is null or message.message_key = :message_key)
    and (
        cast(:before as text) is null
        or (message.created_at, message.message_key) < (
            select
                last_shown.created_at,
                last_shown.message_key
            from notify.message as last_shown
            where last_shown.message_key = :before
        )
    )
order by message.created_at desc, message.message_key desc
limit :first
