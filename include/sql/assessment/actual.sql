-- From which figures is each bank judged as it is (docs/figures.md#assessment)? One row per bank with both ledger and
-- position: scenario `actual`. Amounts in 万元, rates in percent; a rate over nothing is NULL.
with figure as (
    select
        metric.scope_code as code,
        max(metric.value) filter (where metric.metric = 'microcredit_year_begin') as year_begin,
        max(metric.value) filter (where metric.metric = 'microcredit_balance') as balance,
        max(metric.value) filter (where metric.metric = 'microcredit_growth') as growth,
        max(metric.value) filter (where metric.metric = 'microcredit_ytd_households') as reached,
        max(metric.value) filter (where metric.metric = 'microcredit_completion') as completion,
        max(metric.value) filter (where metric.metric = 'projects_offered') as offered,
        max(metric.value) filter (where metric.metric = 'projects_answered') as answered,
        max(metric.value) filter (where metric.metric = 'match_rate') as match_rate,
        max(metric.value) filter (where metric.metric = 'households_able') as households,
        max(metric.numerator) filter (where metric.metric = 'visit_coverage_standing') as visited,
        max(metric.numerator) filter (where metric.metric = 'visit_coverage') as visited_in_current_round,
        max(metric.value) filter (where metric.metric = 'visit_coverage_standing') as coverage,
        max(metric.numerator) filter (where metric.metric = 'microcredit_overdue_ratio') as overdue,
        max(metric.value) filter (where metric.metric = 'microcredit_overdue_ratio') as overdue_ratio
    from mart.metric
    where
        metric.run_id = :run_id
        and metric.scope = 'bank'
    group by metric.scope_code
),

reported as (
    select
        reporting.institution_code as code,
        count(*) as expected,
        count(*) filter (where reporting.status in ('accepted', 'nil')) as received,
        count(*) filter (where reporting.on_time) as on_time,
        count(*) filter (where reporting.first_pass) as first_pass
    from mart.reporting
    inner join mart.run on reporting.run_id = run.run_id
    where
        (run.run_id = :run_id or (run.current and run.period < :period))
        and run.period >= :year_first_period
    group by reporting.institution_code
),

city as (
    select max(metric.value) as growth
    from mart.metric
    where
        metric.run_id = :run_id
        and metric.scope = 'city'
        and metric.metric = 'all_loans_growth'
),

overdue_finding as (
    select
        inspections.institution_code as code,
        count(*) as findings
    from inspections
    where
        inspections.due_on < :period_end
        and (inspections.mended_on is null or inspections.mended_on > :period_end)
    group by inspections.institution_code
),

high_alert as (
    select
        alert.institution_code as code,
        count(*) as alerts
    from mart.alert
    where
        alert.run_id = :run_id
        and alert.level = 'high'
    group by alert.institution_code
)

insert into scenario
select
    bank.scope_code as code,
    'actual' as scenario,
    0 as step,
    0 as round,
    city.growth as city_growth,
    figure.year_begin,
    figure.balance,
    figure.growth,
    coalesce(target.households, 0) as target,
    figure.reached,
    figure.completion,
    figure.offered,
    figure.answered,
    figure.match_rate,
    -- The round whose coverage is the larger is the one that counts.
    case
        when figure.visited_in_current_round < figure.visited then :current_round - 1
        else :current_round
    end as visit_round,
    figure.households,
    figure.visited,
    figure.coverage,
    figure.balance as overdue_of,
    figure.overdue,
    figure.overdue_ratio,
    coalesce(reported.expected, 0) as expected,
    coalesce(reported.received, 0) as received,
    coalesce(reported.on_time, 0) as on_time,
    coalesce(reported.first_pass, 0) as first_pass,
    least(
        coalesce(overdue_finding.findings, 0) * cast(:deduction_per_finding as numeric)
        + coalesce(high_alert.alerts, 0) * cast(:deduction_per_high_alert as numeric),
        :deduction_at_most
    ) as deductions
from subject as bank
cross join city
inner join figure on bank.scope_code = figure.code
left join reported on bank.scope_code = reported.code
left join target on bank.scope_code = target.institution_code
left join overdue_finding on bank.scope_code = overdue_finding.code
left join high_alert on bank.scope_code = high_alert.code
where
    bank.scope = 'bank'
    and not exists (
        select 1
        from jsonb_to_recordset(cast(:wanted_reports as jsonb)) as wanted (report text)
        where not exists (
            select 1
            from present
            where
                present.institution_code = bank.scope_code
                and present.report = wanted.report
        )
    )
order by bank.scope_code
