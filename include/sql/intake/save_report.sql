-- Keeps how a report of a version was judged: one row.
insert into intake.report (
    submission_id, report, rows, control_total, verdict, errors, warnings, file, sheet, places, validated
)
values (
    :submission_id, :report, :rows, :control_total, :verdict, :errors, :warnings, :file, :sheet, cast(:places as jsonb),
    cast(:validated as smallint[])
)
