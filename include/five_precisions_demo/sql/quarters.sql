-- How far has each quarter of the demo come? One row a quarter, in their order.
select
    quarters.quarter,
    exists(
        select 1
        from notify.approval
        where
            approval.quarter = quarters.quarter
            and approval.decision = 'approved'
    ) as approved,
    count(message.message_key) as messages,
    count(message.message_key) filter (where message.status = 'sent') as sent
from unnest(cast(:quarters as text[])) as quarters (quarter)
left join notify.message
    on
        quarters.quarter = message.period
        and message.kind = 'bulletin'
group by quarters.quarter
order by quarters.quarter
