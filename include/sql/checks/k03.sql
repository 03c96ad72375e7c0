-- Does another institution's accepted ledger hold more than half of these loans?
-- One row at most, about the whole ledger; neither the other institution nor its loans are named.
--
-- rule: K03
-- level: critical
-- across: institutions
-- moment: version
-- alone: true
-- report: loans
-- column: contract_no
-- message: 本台账超过半数的贷款（合同编号、借款人、发放日期和发放金额都相同）已在另一家机构本期已接收的台账中，请核对是否放错了文件夹，改为本机构的台账后重新报送；确属本机构的，请联系人民银行核实。
-- expected: 本机构自己的贷款
with
-- In which versions of others does each loan stand? Each is looked up for itself: no plan reads all ledgers for it.
same as materialized (
    select
        now.row_number,
        there.submission_id,
        there.delivered_by
    from staged_loans as now
    cross join
        lateral (
            select distinct
                elsewhere.submission_id,
                elsewhere.delivered_by
            from core.delivered_loans as elsewhere
            where
                elsewhere.period = :period
                and elsewhere.delivered_by <> :institution_code
                and now.contract_no = elsewhere.contract_no
                and now.issued_on = elsewhere.issued_on
                and now.borrower_id_hash = elsewhere.borrower_id_hash
                and now.principal = elsewhere.principal
        ) as there
),

-- How many of the loans does each other institution have?
shared as (
    select count(distinct same.row_number) as loans
    from same
    inner join intake.standing_report as stands on same.submission_id = stands.submission_id
    where
        stands.period = :period
        and stands.report = 'loans'
    group by same.delivered_by
)

select
    cast(null as integer) as row_number,
    cast(null as text) as key,
    cast(null as text) as value
from shared
having max(shared.loans) * 2 > (select count(*) from staged_loans)
