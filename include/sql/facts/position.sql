-- What does each bank's position say, and which microcredit does its growth rest on (docs/figures.md#position)?
-- One row per bank and county of the position, and one per microcredit loan of a bank that delivered it; in 万元.
--
-- holds_for: position
-- county: county_code
-- bank: delivered_by
select
    'position' as report,
    position.submission_id,
    position.row_number,
    true as counts,
    cast(null as jsonb) as content,
    position.county_code,
    position.delivered_by,
    position.all_loans,
    position.all_loans_year_begin,
    position.microcredit_year_begin,
    position.relending,
    position.relending_extended,
    ledger.institution_code is not null as has_loans,
    cast(null as numeric) as microcredit_balance
from position
left join present as ledger
    on
        position.delivered_by = ledger.institution_code
        and ledger.report = 'loans'
union all
select
    'loans' as report,
    loans.submission_id,
    loans.row_number,
    true as counts,
    null as content,
    left(loans.town_code, 6) as county_code,
    loans.delivered_by,
    null as all_loans,
    null as all_loans_year_begin,
    null as microcredit_year_begin,
    null as relending,
    null as relending_extended,
    true as has_loans,
    loans.balance * 0.0001 as microcredit_balance
from loans
inner join present as month
    on
        loans.delivered_by = month.institution_code
        and month.report = 'position'
where loans.microcredit
