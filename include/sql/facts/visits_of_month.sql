-- Which visits did the month bring, and to whom (docs/figures.md#visits-and-scoring)? One row per visit; county, town
-- and responsible bank are those of the household, where it is registered.
--
-- holds_for: {city: visits, county: households, town: households, bank: households}
-- needs_of_any: [visits]
-- town: town_code
-- bank: bank_code
select
    visits.*,
    'visits' as report,
    true as counts,
    cast(null as jsonb) as content,
    households.town_code,
    households.bank_code
from visits
left join households on visits.household_no = households.household_no
where visits.period = :period
