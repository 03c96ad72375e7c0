-- Which cases of an institution are open in a month, and since when? One row per case, the gravest first.
select
    alert.case_id,
    alert.rule,
    alert.aspect,
    alert.level,
    alert.subject,
    alert.detail,
    coalesce(case_state.since_period, alert.period) as since
from mart.current_run
inner join mart.alert on current_run.run_id = alert.run_id
left join mart.case_state
    on
        alert.run_id = case_state.run_id
        and alert.case_id = case_state.case_id
where
    current_run.period = :period
    and alert.institution_code = :code
order by
    array_position(array['high', 'medium', 'low'], alert.level),
    alert.rule,
    alert.subject
