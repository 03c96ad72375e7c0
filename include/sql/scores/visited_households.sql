-- What do all visits on record come to, household by household (docs/figures.md#visits-and-scoring)? One row per
-- household that was visited, registered or not; `wants_loan` and `wanted_amount` are those of its latest visit.
with visited as (
    select
        visits.household_no,
        min(visits.visited_on) as first_visited_on,
        max(visits.visited_on) as last_visited_on,
        bool_or(visits.round = 1) as in_round_1,
        bool_or(visits.round = :current_round) as in_current_round,
        bool_or(visits.round = :current_round - 1) as in_round_before,
        avg(visits.conduct) as conduct_mean
    from visits
    group by visits.household_no
),

latest as (
    select distinct on (visits.household_no)
        visits.household_no,
        visits.wants_loan,
        visits.wanted_amount
    from visits
    inner join visited
        on
            visits.household_no = visited.household_no
            and visits.visited_on = visited.last_visited_on
    inner join intake.submission on visits.submission_id = submission.submission_id
    order by
        visits.household_no asc,
        submission.received_at desc,
        visits.wants_loan desc,
        visits.wanted_amount desc nulls last
)

select
    visited.household_no,
    visited.first_visited_on,
    visited.last_visited_on,
    visited.in_round_1,
    visited.in_current_round,
    visited.in_round_before,
    visited.conduct_mean,
    latest.wants_loan,
    latest.wanted_amount
from visited
-- Everyone in it has a latest visit. Where nobody asks for it, a left join is not made at all.
left join latest on visited.household_no = latest.household_no
