-- Whose balance is higher than in last month's ledger, although the loan was not extended?
-- One row per contract. Of last month only the own ledger is looked at.
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
from intake.standing_report as last_month
inner join core.delivered_loans as before
    on
        before.period = :previous_period
        and last_month.submission_id = before.submission_id
inner join staged_loans as now on before.contract_no = now.contract_no
where
    last_month.period = :previous_period
    and last_month.institution_code = :institution_code
    and last_month.report = 'loans'
    and now.balance > before.balance
    and not now.extended
order by now.row_number
