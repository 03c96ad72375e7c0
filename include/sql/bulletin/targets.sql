-- How many households is each bank to lend to this year, by the split that holds in the month?
-- One row per bank.
select
    target.institution_code,
    target.households
from mart.target
where
    target.year = :year
    and target.revision = (
        select max(newest.revision)
        from mart.target as newest
        where
            newest.year = :year
            and newest.from_period <= :period
    )
