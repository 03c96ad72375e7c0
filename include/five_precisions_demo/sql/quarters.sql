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
    (
        select count(*)
        from notify.message
        where
            message.period = quarters.quarter
            and message.kind = 'bulletin'
    ) as messages,
    (
        select count(*)
        from notify.message
        where
            message.period = quarters.quarter
            and message.kind = 'bulletin'
            and message.status = 'sent'
    ) as sent
from unnest(cast(:quarters as text[])) as quarters (quarter)
order by quarters.quarter
