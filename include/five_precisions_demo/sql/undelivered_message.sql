-- Which message failed or is in doubt? At most one row, the first by its key.
select
    message_key,
    status,
    reply
from notify.message
where status in ('failed', 'in_doubt')
order by message_key
limit 1
