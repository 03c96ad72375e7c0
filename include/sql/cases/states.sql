-- What did runs leave of cases (docs/figures.md#alerts)? One row per run and case, with the number of the newest
-- decision of ops on the case that concerns the month. Of one case every run, of a month its newest run: open cases
-- first, and the gravest before others.
select
    run.run_id,
    run.current as is_current,
    case_state.period,
    case_state.case_id,
    case_state.rule,
    case_state.aspect,
    case_state.level,
    case_state.institution_code,
    institution.short_name,
    case_state.division_code,
    case_state.subject,
    case_state.measure,
    case_state.threshold,
    case_state.detail,
    case_state.state,
    case_state.change,
    case_state.first_period,
    case_state.since_period,
    case_state.times,
    decision.decision_number
from mart.case_state
inner join mart.run on case_state.run_id = run.run_id
inner join registry.institution on case_state.institution_code = institution.code
left join lateral (
    select max(made.decision_number) as decision_number
    from registry.case_set_aside as made
    where
        made.case_id = case_state.case_id
        and made.from_period <= case_state.period
) as decision on true
where
    (case_state.case_id = :case_id or (cast(:case_id as text) is null and run.current))
    and (case_state.period = :period or cast(:period as text) is null)
    and (case_state.institution_code = :institution_code or cast(:institution_code as text) is null)
    and (case_state.rule = :rule or cast(:rule as text) is null)
    and (case_state.level = :level or cast(:level as text) is null)
    and (case_state.state = :state or cast(:state as text) is null)
order by
    case_state.period,
    run.revision,
    array_position(array['open', 'set_aside', 'closed'], case_state.state),
    array_position(array['high', 'medium', 'low'], case_state.level),
    case_state.rule,
    case_state.institution_code,
    case_state.subject
