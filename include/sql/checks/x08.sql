-- Which loans are paid into an account that three or more borrowers share (户贷企用)?
-- One row per loan: a bank sees its own loans and the fact, nothing of the others'.
--
-- rule: X08
-- level: warning
-- across: institutions
-- moment: standing
-- report: loans
-- column: payee_account
-- links: {loans: payee_account_hash}
-- message: 全市有{borrowers}名借款人的贷款支付到同一收款账户（此处只列本行贷款），涉嫌户贷企用，请核实资金流向；属实的请在情况说明中说明。
-- expected: 同一收款账户少于3名借款人
with shared as (
    select
        paid.payee_account_hash,
        count(distinct paid.borrower_id_hash) as borrowers
    from core.loans as paid
    where
        paid.period = :period
        and paid.payee_account_hash is not null
    group by paid.payee_account_hash
    having count(distinct paid.borrower_id_hash) >= 3
)

select
    loan.delivered_by as institution_code,
    loan.row_number,
    loan.contract_no as key,
    loan.payee_account as value,
    shared.borrowers
from core.loans as loan
inner join shared on loan.payee_account_hash = shared.payee_account_hash
where loan.period = :period
order by loan.delivered_by, loan.row_number
