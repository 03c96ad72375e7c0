-- How many messages wait, of the keys or of all? One row.
select count(*)
from notify.message
where status = 'pending' and (cast(:keys as text[]) is null or message_key = any(cast(:keys as text[])))
