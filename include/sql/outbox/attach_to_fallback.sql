-- Gives a mail the attachments of the message that it stands in for; written: one row per attachment.
insert into notify.message_attachment (message_key, ordinal, name, sha256)
select
    :fallback_key as message_key,
    ordinal,
    name,
    sha256
from notify.message_attachment
where message_key = :key
