-- How far is each round of visits of a run, and would it be reached by the tried scheme (docs/figures.md#trial)?
-- One row per round that anybody had begun. A round that an earlier month reached stays reached.
select
    visit_round.round,
    visit_round.visited,
    visit_round.households_able,
    visit_round.reached as reached_before,
    exists (
        select 1
        from mart.visit_round as earlier
        where
            earlier.run_id = any(:earlier_runs)
            and visit_round.round = earlier.round
            and earlier.reached
    )
    or (
        visit_round.households_able > 0
        and visit_round.visited * 100 >= visit_round.households_able * cast(:round_reached as numeric)
    ) as reached_after
from mart.visit_round
where visit_round.run_id = :run_id
order by visit_round.round
