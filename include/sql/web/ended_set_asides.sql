-- Which cases are set aside by a decision that has run out by a day? One row per case of the newest assessed month.
with newest as (
    select
        current_run.run_id,
        current_run.period
    from mart.current_run
    order by current_run.period desc
    limit 1
),

decided as (
    select distinct on (decision.case_id)
        decision.case_id,
        decision.until
    from registry.case_set_aside as decision
    order by decision.case_id asc, decision.decision_number desc
)

select
    case_state.case_id,
    case_state.aspect,
    case_state.institution_code,
    institution.short_name,
    decided.until
from newest
inner join mart.case_state on newest.run_id = case_state.run_id
inner join decided on case_state.case_id = decided.case_id
inner join registry.institution on case_state.institution_code = institution.code
where
    case_state.state = 'set_aside'
    and decided.until < :day
order by decided.until, case_state.case_id
