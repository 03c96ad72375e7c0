-- How often was a message handed over, and what came of it? One row per attempt, the newest first.
select
    attempt.attempt,
    attempt.began_at,
    attempt.ended_at,
    attempt.outcome,
    attempt.reply
from notify.attempt
where attempt.message_key = :message_key
order by attempt.attempt desc
