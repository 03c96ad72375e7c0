-- Which loans to farmers were taken out by somebody else than the household's head?
-- One row per loan: a family member may borrow, and the bank explains it.
--
-- rule: X05
-- level: warning
-- across: reports
-- moment: standing
-- report: loans
-- column: borrower_id
-- needs: [households]
-- links: {loans: household_no, households: household_no}
-- message: 借款人不是该户户主，请核对证件号码和户编号；由家庭成员借款的，请在情况说明中说明与户主的关系。
-- expected: 名册中该户户主的证件号码
with registered as materialized (
    -- Once, and not for each of the many loans.
    select
        household.household_no,
        household.head_id_hash
    from core.households as household
    where household.period = :period
)

select
    loan.delivered_by as institution_code,
    loan.row_number,
    loan.contract_no as key,
    loan.borrower_id as value
from core.loans as loan
inner join registered on loan.household_no = registered.household_no
where
    loan.period = :period
    and loan.borrower_kind = '农户'
    and loan.borrower_id_hash <> registered.head_id_hash
order by loan.delivered_by, loan.row_number
