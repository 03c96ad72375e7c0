-- Which files go with a message? One row per file, in their order.
select
    name,
    sha256
from notify.message_attachment
where message_key = :key
order by ordinal
