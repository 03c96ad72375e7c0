-- What was delivered, by content? One row per version that the run uses.
select
    used.period,
    used.institution_code,
    used.report,
    submission.version,
    submission.digest
from run_version as used
inner join intake.submission on used.submission_id = submission.submission_id
order by used.period, used.institution_code, used.report
