-- Which archived files do the versions of a period hold, and which of them did housekeeping take away? One row per
-- version and file.
select
    submission.institution_code,
    submission.version,
    file.name,
    file.sha256,
    removed.sha256 is not null as is_removed
from intake.submission
inner join intake.file on submission.submission_id = file.submission_id
left join intake.removed_file as removed on file.sha256 = removed.sha256
where submission.period = :period
order by submission.institution_code, submission.version, file.name
