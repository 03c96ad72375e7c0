-- Which messages failed, are in doubt, or have waited for a day? One row per state, kind and month or quarter; where a
-- mail stands in for a message, that one counts.
select
    message.status,
    message.kind,
    message.period,
    count(*) as messages,
    min(message.created_at) as created_at
from notify.message
where
    message.status in ('failed', 'in_doubt', 'pending')
    and (message.status <> 'pending' or message.created_at < now() - cast(:longest_unsent as interval))
    and not exists (
        select 1
        from notify.message as fallback
        where fallback.fallback_of = message.message_key
    )
group by message.status, message.kind, message.period
order by min(message.created_at), message.kind
