-- Which loans to farmers name a household that is on no county's register?
-- One row per loan.
--
-- rule: X04
-- level: warning
-- across: reports
-- moment: standing
-- report: loans
-- column: household_no
-- needs: [households]
-- absence: true
-- links: {loans: household_no, households: household_no}
-- message: 户编号不在任何县区的建档立卡户名册中，请向县区扶贫办核对户编号；属实的请在情况说明中说明。
-- expected: 名册中的户编号
with registered as materialized (
    -- Once, and not for each of the many loans.
    select household.household_no
    from core.households as household
    where household.period = :period
)

select
    loan.delivered_by as institution_code,
    loan.row_number,
    loan.contract_no as key,
    loan.household_no as value
from core.loans as loan
where
    loan.period = :period
    and loan.borrower_kind = '农户'
    and not exists (select from registered where loan.household_no = registered.household_no)
order by loan.delivered_by, loan.row_number
