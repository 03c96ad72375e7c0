-- After how many seconds may the mail server be given one more mail? One row. Written: the moment from which on the
-- next mail may follow.
update notify.mail_slot
set free_at = greatest(free_at, clock_timestamp()) + cast(:spacing as interval)
returning extract(epoch from free_at - cast(:spacing as interval) - clock_timestamp())
