-- Marks a message as being sent before anything leaves the house; written: the message, and one row per attempt.
with begun as (
    update notify.message
    set status = 'sending', attempts = attempts + 1
    where message_key = :key
    returning message_key, attempts
)

insert into notify.attempt (message_key, attempt, began_at)
select
    message_key,
    attempts,
    clock_timestamp() as began_at
from begun
