-- Writes into a message what became of it, and when it is tried again.
update notify.message
set
    status = :status,
    reply = :reply,
    sent_at = case when cast(:status as text) = 'sent' then clock_timestamp() end,
    due_at = coalesce(clock_timestamp() + cast(:delay as interval), due_at),
    refusals = refusals + :refused
where message_key = :key
