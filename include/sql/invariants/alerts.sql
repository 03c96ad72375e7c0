-- Which alerts are no open case of their own, and which open cases have no alert? One row per alert and fault.
--
-- invariant: every alert is one open case
select
    alert.subject,
    concat(alert.rule, ' of ', alert.institution_code, ' is no open case') as detail
from mart.alert
left join mart.case_state
    on
        alert.run_id = case_state.run_id
        and alert.case_id = case_state.case_id
        and alert.rule = case_state.rule
        and alert.institution_code = case_state.institution_code
        and alert.subject = case_state.subject
        and alert.level = case_state.level
        and case_state.state = 'open'
where
    alert.run_id = :run_id
    and case_state.case_id is null
union all
select
    case_state.subject,
    concat(case_state.rule, ' of ', case_state.institution_code, ' is open and no alert') as detail
from mart.case_state
left join mart.alert
    on
        case_state.run_id = alert.run_id
        and case_state.case_id = alert.case_id
where
    case_state.run_id = :run_id
    and case_state.state = 'open'
    and alert.case_id is null
order by subject, detail
