-- Which banks are assessed, and what is taken off their scores (docs/figures.md#assessment)? One row per bank with both
-- ledger and position.
with overdue_finding as (
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

insert into assessed_bank
select
    bank.scope_code as code,
    least(
        coalesce(overdue_finding.findings, 0) * cast(:deduction_per_finding as numeric)
        + coalesce(high_alert.alerts, 0) * cast(:deduction_per_high_alert as numeric),
        :deduction_at_most
    ) as deductions
from subject as bank
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
