-- What do the receipts of cross checks say of the checks? One row a check.
select
    cross_check.submission_id,
    cross_check.period,
    cross_check.institution_code,
    institution.name as institution_name,
    institution.short_name,
    cross_check.edition,
    cross_check.checked_at,
    deadline.deadline_at
from intake.cross_check
inner join registry.institution on cross_check.institution_code = institution.code
inner join registry.deadline
    on cross_check.period = deadline.period and cross_check.institution_code = deadline.institution_code
where cross_check.submission_id = any(:submission_ids)
