-- Which households able to work want a loan, by their latest visit, and have none (docs/figures.md#visits-and-scoring)?
-- One row per household; and one per visit of that day that says so, which shows why it counts.
--
-- holds_for: households
-- town: town_code
-- bank: bank_code
-- about: household_no
with wanting as (
    select
        households.*,
        visited.last_visited_on
    from households
    inner join visited_household as visited on households.household_no = visited.household_no
    where
        households.workers > 0
        and visited.wants_loan
        and not exists (
            select 1
            from loans
            where
                loans.household_no = households.household_no
                and loans.microcredit
                and loans.balance > 0
        )
)

select
    'households' as report,
    wanting.submission_id,
    wanting.row_number,
    true as counts,
    cast(null as jsonb) as content,
    wanting.town_code,
    wanting.bank_code,
    wanting.household_no,
    wanting.status,
    true as wants_loan
from wanting
union all
select
    'visits' as report,
    visits.submission_id,
    visits.row_number,
    false as counts,
    null as content,
    wanting.town_code,
    wanting.bank_code,
    wanting.household_no,
    wanting.status,
    true as wants_loan
from visits
inner join wanting
    on
        visits.household_no = wanting.household_no
        and visits.visited_on = wanting.last_visited_on
where visits.wants_loan
