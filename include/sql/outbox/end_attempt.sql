-- Writes how the newest attempt of a message ended, into its row.
update notify.attempt
set ended_at = clock_timestamp(), outcome = :outcome, reply = :reply
where
    message_key = :key
    and attempt = (select attempts from notify.message where message_key = :key)
