-- Lays a message down; written: one message, whose key comes back, or none where it is there already.
insert into notify.message (
    message_key, kind, period, recipient, status, run_id, institution_code, subject, html
)
values (:message_key, :kind, :period, :recipient, 'pending', :run_id, :institution_code, :subject, :html)
on conflict (message_key) do nothing
returning message_key
