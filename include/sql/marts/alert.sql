-- Which alerts are open in the month (docs/figures.md#alerts)? One row per open case; one that is set aside counts
-- nowhere.
insert into mart.alert
select
    :run_id as run_id,
    :period as period,
    case_state.rule,
    case_state.aspect,
    case_state.level,
    case_state.institution_code,
    case_state.division_code,
    case_state.subject,
    case_state.measure,
    case_state.threshold,
    case_state.detail,
    case_state.case_id
from mart.case_state
where
    case_state.run_id = :run_id
    and case_state.state = 'open'
order by case_state.rule, case_state.institution_code, case_state.subject
