-- How far is each round of visits, city-wide, and has it been reached (in this month or an earlier one)?
-- One row per round that anybody has begun (docs/figures.md#visits-and-scoring).
with met as (
    select distinct
        visits.round,
        visits.household_no
    from visits
),

visited as (
    select distinct
        met.round,
        households.household_no
    from met
    inner join households on met.household_no = households.household_no
    where households.workers > 0
),

able as (
    select count(*) as households_able
    from households
    where households.workers > 0
),

reached_earlier as (
    select distinct current_visit_round.round
    from mart.current_visit_round
    where
        current_visit_round.period < :period
        and current_visit_round.reached
),

begun as (
    select met.round from met
    union
    select reached_earlier.round from reached_earlier
)

insert into mart.visit_round
select
    :run_id as run_id,
    :period as period,
    begun.round,
    count(visited.household_no) as visited,
    able.households_able,
    begun.round in (select reached_earlier.round from reached_earlier)
    or (
        able.households_able > 0
        and count(visited.household_no) * 100 >= able.households_able * cast(:round_reached as numeric)
    ) as reached
from begun
cross join able
left join visited on begun.round = visited.round
group by begun.round, able.households_able
order by begun.round
