-- Which round of visits is under way? 1 + the number of consecutive rounds, from round 1, reached in an earlier month.
with reached as (
    select distinct current_visit_round.round
    from mart.current_visit_round
    where
        current_visit_round.period < :period
        and current_visit_round.reached
),

numbered as (
    select
        reached.round,
        row_number() over (order by reached.round) as place
    from reached
)

select 1 + count(*) as current_round
from numbered
where numbered.round = numbered.place
