-- Which households able to work have been visited, and in which round (docs/figures.md#visits-and-scoring)? One row per
-- household; and one per visit, which shows why it counts.
--
-- holds_for: households
-- town: town_code
-- bank: bank_code
-- about: household_no
select
    'households' as report,
    households.submission_id,
    households.row_number,
    true as counts,
    cast(null as jsonb) as content,
    households.town_code,
    households.bank_code,
    households.household_no,
    households.status,
    visited.household_no is not null as visited,
    visited.in_round_1,
    visited.in_current_round,
    visited.in_round_before
from households
left join visited_household as visited on households.household_no = visited.household_no
where households.workers > 0
union all
select
    'visits' as report,
    visits.submission_id,
    visits.row_number,
    false as counts,
    null as content,
    households.town_code,
    households.bank_code,
    households.household_no,
    households.status,
    true as visited,
    visits.round = 1 as in_round_1,
    visits.round = :current_round as in_current_round,
    visits.round = :current_round - 1 as in_round_before
from visits
inner join households on visits.household_no = households.household_no
where households.workers > 0
