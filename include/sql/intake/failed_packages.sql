-- Which packages could not be checked for a reason of ours? One row per package, of one period or of all.
select
    package.period,
    package.institution_code,
    institution.short_name,
    package.seen_at,
    package.failed_at,
    package.failure
from intake.seen_package as package
inner join registry.institution on package.institution_code = institution.code
where
    package.failed_at is not null
    and package.period = coalesce(:period, package.period)
order by package.period, package.institution_code
