-- Which loans do the ledgers hold (docs/figures.md#loans)? One row per loan; amounts in yuan.
--
-- holds_for: loans
-- town: town_code
-- bank: delivered_by
select
    loans.*,
    'loans' as report,
    true as counts,
    cast(null as jsonb) as content,
    loans.issued_on between :year_begin and :period_end as issued_this_year,
    loans.issued_on between :prior_begin and :prior_end as issued_year_before,
    loans.issued_on between :period_begin and :period_end as issued_this_month
from loans
