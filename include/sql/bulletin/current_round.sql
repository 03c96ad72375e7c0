-- Which round of visits was under way in the month (docs/figures.md#visits-and-scoring, visit_coverage)?
-- One row.
with reached as (
    select distinct visit_round.round
    from mart.current_visit_round as visit_round
    where
        visit_round.reached
        and visit_round.period < :period
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
