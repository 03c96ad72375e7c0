-- Which households' microcredit loans add up to more than 50,000 yuan, at however many banks?
-- One row per loan with a balance: a bank sees its own loans and the fact, nothing of the others'.
-- A single loan of that size is L10's.
--
-- rule: X07
-- level: warning
-- across: institutions
-- moment: standing
-- report: loans
-- column: balance
-- links: {loans: household_no, households: household_no}
-- message: 该户在全市各银行的扶贫小额信贷余额合计超过5万元（此处只列本行贷款），请核实；属实的请在情况说明中说明。
-- expected: 全户合计不超过50000元
with owed as (
    select
        loan.delivered_by as institution_code,
        loan.row_number,
        loan.contract_no as key,
        loan.balance::text as value,
        count(*) over (partition by loan.household_no) as household_loans,
        sum(loan.balance) over (partition by loan.household_no) as household_balance
    from core.loans as loan
    where
        loan.period = :period
        and loan.microcredit
        and loan.balance > 0
)

select
    institution_code,
    row_number,
    key,
    value
from owed
where
    household_loans > 1
    and household_balance > 50000
order by institution_code, row_number
