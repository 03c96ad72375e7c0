-- Which cases of level high does a run find new, back or worse, that no earlier revision of the month has reported?
-- One row per case that is open. One that was set aside may be back too.
with reported as (
    select
        case_state.case_id,
        case_state.run_id
    from mart.case_state
    where
        case_state.level = 'high'
        and case_state.state = 'open'
        and case_state.change in ('new', 'reopened', 'returned', 'worsened')
)

select
    case_state.case_id,
    case_state.aspect,
    case_state.institution_code,
    case_state.subject,
    case_state.detail,
    case_state.change,
    case_state.first_period
from mart.case_state
inner join reported
    on
        case_state.run_id = reported.run_id
        and case_state.case_id = reported.case_id
inner join mart.run as this on case_state.run_id = this.run_id
where
    case_state.run_id = :run_id
    and not exists (
        select 1
        from reported as reported_before
        inner join mart.run as before on reported_before.run_id = before.run_id
        where
            reported_before.case_id = case_state.case_id
            and before.period = this.period
            and before.revision < this.revision
    )
order by case_state.institution_code, case_state.rule, case_state.subject
