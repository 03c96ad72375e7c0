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
select
    now.row_number,
    now.contract_no as key,
    now.balance::text as value,
    before.balance as before
from staged_loans as now
inner join core.loans as before
    on
        now.contract_no = before.contract_no
        and before.period = :previous_period
        and before.delivered_by = :institution_code
where
    now.balance > before.balance
    and not now.extended
order by now.row_number
