-- What does each household owe of microcredit, at all banks together, in yuan (docs/figures.md#scorecard)? One row per
-- household of the ledgers that ever got any; `is_served` where a loan of it has a balance.
select
    loans.household_no,
    sum(loans.balance) as owed,
    bool_or(loans.balance > 0) as is_served
from loans
where
    loans.microcredit
    and loans.household_no is not null
group by loans.household_no
