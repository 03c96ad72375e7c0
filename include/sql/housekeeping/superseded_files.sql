-- Which archived files are old, and hold nothing that stands, was frozen or went into a run? One row per file.
-- A file is old when every version that holds it was received before the moment given.
with used as (
    select standing_report.submission_id
    from intake.standing_report
    union
    select frozen_report.submission_id
    from intake.frozen_report
    union
    select run_input.submission_id
    from mart.run_input
)

select file.sha256
from intake.file
inner join intake.submission on file.submission_id = submission.submission_id
left join used on file.submission_id = used.submission_id
where not exists (select from intake.removed_file as removed where file.sha256 = removed.sha256)
group by file.sha256
having
    max(submission.received_at) < :before
    and count(used.submission_id) = 0
order by file.sha256
