-- How many messages were sent? One row a kind.
select
    kind,
    count(*) as messages
from notify.message
where status = 'sent'
group by kind
order by kind
