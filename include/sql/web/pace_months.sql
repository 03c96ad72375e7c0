-- How far was a bank on its way to the target of the year, month by month? One row per assessed month of the year, the
-- oldest first; none without a target.
select
    pace.period,
    pace.target,
    pace.reached,
    pace.due,
    pace.needed_per_month,
    pace.forecast,
    completion.value as completion
from mart.current_run
inner join mart.pace on current_run.run_id = pace.run_id
left join mart.metric as completion
    on
        pace.run_id = completion.run_id
        and completion.metric = 'microcredit_completion'
        and completion.scope = 'bank'
        and pace.institution_code = completion.scope_code
where
    current_run.period between :first and :period
    and pace.institution_code = :code
order by pace.period
