-- Notes that a package could not be checked. One row: when it was first seen; none where it is on record all the same.
update intake.seen_package
set
    failed_at = coalesce(failed_at, clock_timestamp()),
    failure = :failure
where
    period = :period
    and institution_code = :institution_code
    and fingerprint = :fingerprint
returning seen_at
