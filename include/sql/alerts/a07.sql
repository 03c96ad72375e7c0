-- Into which accounts are the loans of three or more borrowers paid? One row per bank involved and account; the measure
-- is the number of borrowers in the city, the detail gives a bank its own loans and the fact only.
-- While a ledger is missing, more may share an account than the others show: what is known of an account that the bank
-- still has loans paid into stays. Of one that it has none paid into any more, the bank's own ledger shows it.
--
-- rule: A07
-- aspect: 贷款质量和用途真实性
-- level: high
-- needs: {loans: own}
-- metric: loan_count
with live as (
    select
        loans.delivered_by,
        loans.contract_no,
        loans.town_code,
        loans.balance,
        loans.borrower_id_hash,
        loans.payee_account,
        loans.payee_account_hash
    from loans
    where
        loans.balance > 0
        and loans.payee_account_hash is not null
),

shared as (
    select
        live.payee_account_hash,
        -- The hash is that of the account in capitals: so is what stands beside it.
        upper(min(live.payee_account)) as payee_account,
        count(distinct live.borrower_id_hash) as borrowers
    from live
    group by live.payee_account_hash
    having
        count(distinct live.borrower_id_hash) >= 3
        or exists (select 1 from missing_report where missing_report.report = 'loans')
)

select
    live.delivered_by as institution_code,
    case
        when min(live.town_code) = max(live.town_code) then min(live.town_code)
        when min(left(live.town_code, 6)) = max(left(live.town_code, 6)) then min(left(live.town_code, 6))
    end as division_code,
    concat(shared.payee_account, '-', left(live.payee_account_hash, 8)) as subject,
    array_agg(live.contract_no) as contract_nos,
    shared.borrowers < 3 as is_unjudged,
    shared.borrowers as measure,
    3 as threshold,
    concat(
        '全市有', shared.borrowers, '名借款人的贷款支付到同一收款账户', shared.payee_account,
        '，涉嫌户贷企用；本行涉及', count(distinct live.borrower_id_hash), '名借款人、', count(*), '笔，余额',
        to_char(round(sum(live.balance) / 10000, 2), 'FM999,999,999,990.00'), '万元。'
    ) as detail
from live
inner join shared on live.payee_account_hash = shared.payee_account_hash
group by live.delivered_by, live.payee_account_hash, shared.payee_account, shared.borrowers
