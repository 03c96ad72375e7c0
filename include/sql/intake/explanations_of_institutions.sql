-- What have some institutions explained up to a period? One row an explanation, the newest first.
select
    submission.institution_code,
    explanation.report,
    explanation.rule,
    explanation.key,
    explanation.value,
    explanation.is_bound,
    explanation.explanation,
    submission.period
from intake.explanation
inner join intake.submission on explanation.submission_id = submission.submission_id
where
    submission.institution_code = any(:institution_codes)
    and submission.period <= :period
order by submission.period desc, submission.version desc, explanation.ordinal desc
