-- Which guarantee and subsidy money was agreed on, and has it arrived (docs/figures.md#funds-and-league)? One row per
-- bank, kind of fund and year; the county is that of the delivering office; amounts in 万元.
--
-- holds_for: guarantee_funds
-- county: county_code
-- bank: bank_code
select
    guarantee_funds.*,
    'guarantee_funds' as report,
    true as counts,
    cast(null as jsonb) as content,
    office.division_code as county_code,
    guarantee_funds.due_on <= :period_end as is_due
from guarantee_funds
inner join known_institution as office on guarantee_funds.delivered_by = office.code
