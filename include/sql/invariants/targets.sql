-- Which revisions of the year's targets do not add up to the city's target, or give somebody less than nothing?
-- One row per revision.
--
-- invariant: targets add up to the city's target
with revision as (
    select
        target.revision,
        sum(target.households) as households,
        sum(target.quota) as quota,
        min(target.households) as least
    from mart.target
    where target.year = :year
    group by target.revision
)

select
    concat('revision ', revision.revision) as subject,
    concat('households ', revision.households, ', quotas ', round(revision.quota, 4), ', least ', revision.least)
        as detail
from revision
where
    revision.households <> round(revision.quota, 6)
    or revision.least < 0
order by subject
