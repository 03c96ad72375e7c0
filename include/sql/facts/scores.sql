-- How does each household able to work score (docs/figures.md#visits-and-scoring)? One row per household; and one per
-- visit whose mark of conduct its score takes in, which shows why it counts.
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
    result.score is not null as scored,
    result.score,
    result.tier
from households
left join mart.household_score as result
    on
        result.run_id = :run_id
        and households.household_no = result.household_no
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
    true as scored,
    null as score,
    result.tier
from visits
inner join households on visits.household_no = households.household_no
inner join mart.household_score as result
    on
        result.run_id = :run_id
        and households.household_no = result.household_no
where
    households.workers > 0
    and visits.conduct is not null
