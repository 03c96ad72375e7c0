-- Until when had each institution? One row per institution open in the period.
select
    deadline.institution_code,
    extract(epoch from deadline.deadline_at) as deadline_at
from registry.deadline
inner join open_institution on deadline.institution_code = open_institution.code
where deadline.period = :period
order by deadline.institution_code
