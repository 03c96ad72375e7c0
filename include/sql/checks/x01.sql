-- Which contracts of last month's ledger are gone from the one just delivered?
-- One row per contract. Where rows could not be read, nothing is said to be gone.
--
-- rule: X01
-- level: warning
-- across: months
-- moment: version
-- report: loans
-- column: contract_no
-- message: 上月台账中的合同（上月余额{balance}元）本月台账中没有；结清的贷款也应保留在台账中，请补上，或在情况说明中说明去向。
-- expected: 上月台账中的合同都在本月台账中
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
    null::integer as row_number,
    before.contract_no as key,
    null::text as value,
    before.balance
from before
where
    :is_whole
    and not exists (
        select from staged_loans as now
        where now.contract_no = before.contract_no
    )
order by before.contract_no
