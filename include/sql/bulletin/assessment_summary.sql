-- What of a month's run wants a human? One row: banks without a rank with their reasons, grave cases that are new, have
-- come back or have become worse.
select
    run.run_id,
    (
        select array_agg(concat(assessment.institution_code, ' ', institution.short_name) order by institution.code)
        from mart.assessment
        inner join registry.institution on assessment.institution_code = institution.code
        where
            assessment.run_id = run.run_id
            and assessment.status = 'unranked'
    ) as unranked,
    (
        select array_agg(case_state.case_id order by case_state.case_id)
        from mart.case_state
        where
            case_state.run_id = run.run_id
            and case_state.level = 'high'
            and case_state.state = 'open'
            and case_state.change in ('new', 'reopened', 'returned', 'worsened')
    ) as grave_cases
from mart.run
where
    run.current
    and run.period = :period
