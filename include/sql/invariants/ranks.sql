-- Which ranks are not those that the values give: 1 + how many are better? One row per place. Values are compared as
-- the boards compare them (marts/ranking).
--
-- invariant: ranks are a proper ranking
select
    place.board as subject,
    concat(place.subject_code, ' has rank ', place.rank, ' with ', place.value) as detail
from mart.ranking as place
where
    place.run_id = :run_id
    and place.rank <> 1 + (
        select count(*)
        from mart.ranking as better
        where
            better.run_id = :run_id
            and place.board = better.board
            and round(better.value, 12) > round(place.value, 12)
    )
union all
select
    'assessment' as subject,
    concat(bank.institution_code, ' has rank ', bank.rank, ' with ', bank.score) as detail
from mart.assessment as bank
where
    bank.run_id = :run_id
    and bank.rank is distinct from case
        when bank.score is not null
            then 1 + (
                select count(*)
                from mart.assessment as better
                where
                    better.run_id = :run_id
                    and better.score > bank.score
            )
    end
order by subject, detail
