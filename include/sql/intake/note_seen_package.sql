-- Notes that a settled package was seen. One row: when it was seen first.
insert into intake.seen_package (period, institution_code, fingerprint, seen_at)
values (:period, :institution_code, :fingerprint, clock_timestamp())
on conflict (period, institution_code) do update
    set
        fingerprint = excluded.fingerprint,
        seen_at = case
            when seen_package.fingerprint = excluded.fingerprint then seen_package.seen_at
            else excluded.seen_at
        end,
        failed_at = case when seen_package.fingerprint = excluded.fingerprint then seen_package.failed_at end,
        failure = case when seen_package.fingerprint = excluded.fingerprint then seen_package.failure end
returning seen_at
