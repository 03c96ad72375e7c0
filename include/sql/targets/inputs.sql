-- Which targets hold in the period? Those of the newest revision made for it or an earlier month of its year.
insert into target
select
    made.institution_code,
    made.households
from mart.target as made
where
    made.year = :year
    and made.revision = (
        select max(newest.revision)
        from mart.target as newest
        where
            newest.year = :year
            and newest.from_period <= :period
    )
