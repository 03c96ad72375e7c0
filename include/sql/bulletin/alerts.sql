-- Which alerts stand in the month, and since when?
-- One row per alert, the gravest first.
select
    alert.rule,
    alert.aspect,
    alert.level,
    alert.institution_code,
    alert.subject,
    alert.detail,
    alert.case_id,
    coalesce(case_state.since_period, alert.period) as since
from mart.current_alert as alert
left join mart.case_state
    on
        alert.run_id = case_state.run_id
        and alert.case_id = case_state.case_id
where alert.period = :period
order by
    case alert.level when 'high' then 1 when 'medium' then 2 else 3 end,
    alert.aspect,
    alert.rule,
    alert.institution_code,
    alert.subject
