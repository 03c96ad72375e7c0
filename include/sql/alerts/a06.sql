-- Which households owe more than 50,000 yuan of microcredit, at however many banks? One row per bank involved and
-- household; the measure is the household's total in yuan, the detail gives a bank its own loans and the fact only.
-- While a ledger is missing, what the others hold may not be all: what is known of a household that still owes the bank
-- stays. Of a household that owes the bank nothing any more, the bank's own ledger shows it.
--
-- rule: A06
-- aspect: 小额信贷管理
-- level: high
-- needs: {loans: own}
-- metric: microcredit_balance
with debtor as (
    select
        borrowing_household.household_no,
        borrowing_household.owed
    from borrowing_household
    where
        borrowing_household.is_served
        and (
            borrowing_household.owed > 50000
            or exists (select 1 from missing_report where missing_report.report = 'loans')
        )
),

owed as (
    select
        loans.delivered_by as institution_code,
        loans.household_no,
        case when min(loans.town_code) = max(loans.town_code) then min(loans.town_code) end as town_code,
        array_agg(loans.contract_no) as contract_nos,
        count(*) as contracts,
        sum(loans.balance) as balance,
        debtor.owed as household_balance
    from loans
    inner join debtor on loans.household_no = debtor.household_no
    where
        loans.microcredit
        and loans.balance > 0
    group by loans.delivered_by, loans.household_no, debtor.owed
)

select
    owed.institution_code,
    coalesce(households.town_code, owed.town_code) as division_code,
    owed.household_no as subject,
    owed.contract_nos,
    owed.household_balance <= 50000 as is_unjudged,
    owed.household_balance as measure,
    50000 as threshold,
    concat(
        '户', owed.household_no, '的扶贫小额信贷余额在全市合计超过5万元；本行', owed.contracts, '笔，余额',
        to_char(round(owed.balance / 10000, 2), 'FM999,999,999,990.00'), '万元。'
    ) as detail
from owed
left join households on owed.household_no = households.household_no
