-- Which loans is an open alert about? One row per alert and loan of the ledger among those that its rule named.
insert into alerted_loan
select
    loans.delivered_by as code,
    loans.contract_no,
    alert.case_id,
    alert.rule,
    level.weight,
    loans.town_code
from mart.alert
inner join
    jsonb_to_recordset(cast(:levels as jsonb)) as level (level text, weight numeric)
    on alert.level = level.level
inner join raised
    on
        alert.rule = raised.rule
        and alert.institution_code = raised.institution_code
        and alert.subject = raised.subject
cross join jsonb_array_elements_text(raised.contract_nos) as named (contract_no)
inner join loans
    on
        alert.institution_code = loans.delivered_by
        and named.contract_no = loans.contract_no
where alert.run_id = :run_id
