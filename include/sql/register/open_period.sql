-- Puts a month on record with its deadline; written: one month, which comes back, or none where it is on record.
insert into registry.period (period, deadline_at) values (:period, :deadline_at)
on conflict (period) do nothing
returning period
