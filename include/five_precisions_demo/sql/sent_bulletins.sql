-- Which bulletins were sent? One row a quarter, with the PDF as it was sent.
select distinct
    message.period,
    attachment.content
from notify.message
inner join notify.message_attachment on message.message_key = message_attachment.message_key
inner join notify.attachment on message_attachment.sha256 = attachment.sha256
where
    message.kind = 'bulletin'
    and message_attachment.name like '%.pdf'
order by message.period
