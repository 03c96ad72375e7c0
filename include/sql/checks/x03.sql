-- Whose balance is higher than in last month's ledger, although the loan was not extended?
-- One row per contract.
--
-- rule: X03
-- level: warning
-- across: months
-- moment: version
-- report: loans
-- column: balance
-- message: 贷款余额比上月（{before}元）增加，而是否展期填“否”，请核对余额或展期；属实的请在情况说明中说明。
-- expected: 不大于上月余额
with before as materialized (
    -- Apart: of the month's other ledgers nothing is read.
    select
        ledger.contract_no,
        ledger.balance
    from intake.standing_report as last_month
    inner join core.delivered_loans as ledger
        on
            ledger.period = :previous_period
            and last_month.submission_id = ledger.submission_id
    where
        last_month.period = :previous_period
        and last_month.institution_code = :institution_code
        and last_month.report = 'loans'
)

select
    now.row_number,
    now.contract_no as key,
    now.balance::text as value,
    before.balance as before
from staged_loans as now
inner join before on now.contract_no = before.contract_no
where
    now.balance > before.balance
    and not now.extended
order by now.row_number
