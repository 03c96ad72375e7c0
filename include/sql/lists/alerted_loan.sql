-- Which loans is an open alert about? One row per loan and alert: the alert's subject is the contract, its household or
-- its payee account (while the loan has a balance), or, of A18, a warning whose key is the contract.
with alert as (
    select
        found.case_id,
        found.institution_code as code,
        found.rule,
        level.weight,
        case
            -- A18 is about a warning: report, rule and key.
            when found.rule <> 'A18' then found.subject
            when found.subject like 'loans/%' then regexp_replace(found.subject, '^[^/]*/[^/]*/', '')
        end as key
    from mart.alert as found
    inner join
        jsonb_to_recordset(cast(:levels as jsonb)) as level (level text, weight numeric)
        on found.level = level.level
    where found.run_id = :run_id
)

insert into alerted_loan
select
    loans.delivered_by as code,
    loans.contract_no,
    alert.case_id,
    alert.rule,
    alert.weight,
    loans.town_code
from loans
inner join alert
    on
        loans.delivered_by = alert.code
        and loans.contract_no = alert.key
union
select
    loans.delivered_by as code,
    loans.contract_no,
    alert.case_id,
    alert.rule,
    alert.weight,
    loans.town_code
from loans
inner join alert
    on
        loans.delivered_by = alert.code
        and loans.household_no = alert.key
union
select
    loans.delivered_by as code,
    loans.contract_no,
    alert.case_id,
    alert.rule,
    alert.weight,
    loans.town_code
from loans
inner join alert
    on
        loans.delivered_by = alert.code
        and left(loans.payee_account_hash, 8) = right(alert.key, 8)
where
    -- A07 is about an account: masked, and the first eight digits of its hash.
    alert.rule = 'A07'
    and loans.balance > 0
