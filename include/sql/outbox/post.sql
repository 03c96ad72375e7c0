-- Lays messages down; written: one row a message, whose key comes back, and none for one that is there already.
insert into notify.message (
    message_key, kind, period, recipient, status, run_id, institution_code, subject, html
)
select
    posted.message_key,
    posted.kind,
    posted.period,
    posted.recipient,
    'pending' as status,
    posted.run_id,
    posted.institution_code,
    posted.subject,
    posted.html
from
    unnest(
        cast(:message_keys as text[]),
        cast(:kinds as text[]),
        cast(:periods as text[]),
        cast(:recipients as text[]),
        cast(:run_ids as text[]),
        cast(:institution_codes as text[]),
        cast(:subjects as text[]),
        cast(:htmls as text[])
    ) as posted (message_key, kind, period, recipient, run_id, institution_code, subject, html)
on conflict (message_key) do nothing
returning message_key
