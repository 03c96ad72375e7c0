-- Whose issue date or principal differs from last month's ledger?
-- One row per contract and column that has changed.
--
-- rule: X02
-- level: critical
-- across: months
-- moment: version
-- report: loans
-- column: issued_on
-- message: 与上月台账不一致：同一合同的发放日期和发放金额不得改变，上月为{expected}，请核对后改回；上月有误的，请联系人民银行。
with before as materialized (
    -- Apart: of the month's other ledgers nothing is read.
    select
        ledger.contract_no,
        ledger.issued_on,
        ledger.principal
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
    changed.column_name,
    changed.value,
    changed.expected
from staged_loans as now
inner join before on now.contract_no = before.contract_no
cross join
    lateral (
        values
        ('issued_on', now.issued_on::text, before.issued_on::text),
        ('principal', now.principal::text, before.principal::text)
    ) as changed (column_name, value, expected)
where changed.value <> changed.expected
order by now.row_number, changed.column_name
