-- What is each bank's score, grade and rank (spec/04, Assessment)?
-- One row per bank open in the period. A bank without ledger or position is unranked, with the reason and no score.
with missing as (
    select
        bank.scope_code as code,
        string_agg(
            concat(
                '《', wanted.title, '》',
                case reporting.status when 'rejected' then '被退回、尚未更正' else '未报送' end
            ),
            '，'
            order by wanted.place
        ) as reason
    from subject as bank
    cross join
        jsonb_to_recordset(cast(:wanted_reports as jsonb)) as wanted (report text, title text, place integer)
    left join present
        on
            bank.scope_code = present.institution_code
            and wanted.report = present.report
    left join mart.reporting
        on
            reporting.run_id = :run_id
            and bank.scope_code = reporting.institution_code
            and wanted.report = reporting.report
    where
        bank.scope = 'bank'
        and present.report is null
    group by bank.scope_code
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

weighted as (
    select
        item.institution_code as code,
        100 * sum(item.weight * item.points)
        / nullif(sum(item.weight) filter (where item.points is not null), 0) as score
    from mart.assessment_item as item
    where item.run_id = :run_id
    group by item.institution_code
),

scored as (
    select
        bank.scope_code as code,
        missing.reason,
        case
            when missing.code is null
                then least(coalesce(overdue_finding.findings, 0) * :deduction_per_finding, :deduction_at_most)
        end as deductions,
        case
            when missing.code is null
                then round(
                    greatest(
                        0,
                        weighted.score
                        - least(coalesce(overdue_finding.findings, 0) * :deduction_per_finding, :deduction_at_most)
                    ),
                    2
                )
        end as score
    from subject as bank
    left join missing on bank.scope_code = missing.code
    left join overdue_finding on bank.scope_code = overdue_finding.code
    left join weighted on bank.scope_code = weighted.code
    where bank.scope = 'bank'
),

before as (
    select
        current_assessment.institution_code as code,
        current_assessment.rank
    from mart.current_assessment
    where current_assessment.period = :previous_period
)

insert into mart.assessment
select
    :run_id as run_id,
    :period as period,
    scored.code,
    scored.score,
    scored.deductions,
    (
        select band.grade
        from jsonb_to_recordset(cast(:grades as jsonb)) as band (grade text, at_least numeric)
        where scored.score >= band.at_least
        order by band.at_least desc
        limit 1
    ) as grade,
    case when scored.score is not null then rank() over (order by scored.score desc nulls last) end as rank,
    before.rank as previous_rank,
    case when scored.score is null then 'unranked' else 'ranked' end as status,
    case when scored.score is null then concat('暂不排名：', scored.reason) end as reason
from scored
left join before on scored.code = before.code
order by scored.code
