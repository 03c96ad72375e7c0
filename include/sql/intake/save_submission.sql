-- Keeps a judged delivery: one row, when it was recorded. What was recorded before the close is frozen, what was
-- recorded after it is late: also where the clock was set back in between. The close of a later month has not known it
-- either, so it is told with the one after.
insert into intake.submission (
    submission_id, period, institution_code, version, received_at, delivered_at, replayed, digest, verdict,
    submitted_by, phone_masked, recorded_at
)
values (
    :submission_id, :period, :institution_code, :version, :received_at, :delivered_at, :replayed, :digest, :verdict,
    :submitted_by, :phone_masked, greatest(
        cast(:now as timestamptz),
        (select max(recorded_at) + interval '1 microsecond' from intake.submission where period = :period),
        (select max(closed_at) + interval '1 microsecond' from intake.close where period >= :period)
    )
)
returning recorded_at
