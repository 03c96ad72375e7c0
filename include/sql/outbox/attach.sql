-- Gives a message an attachment; written: one row per attachment.
insert into notify.message_attachment (message_key, ordinal, name, sha256)
values (:message_key, :ordinal, :name, :sha256)
