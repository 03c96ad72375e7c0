-- What is each bank's score, grade and rank (docs/figures.md#assessment)?
-- One row per bank open in the period. A bank without ledger or position is unranked, with the reason and no score.
with missing as (
    select
        bank.scope_code as code,
        string_agg(
            concat(
                '《', wanted.title, '》',
                case
                    when reporting.status = 'rejected' then '被退回、尚未更正'
                    when reporting.status is null then '本月不需报送'
                    else '未报送'
                end
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

before as (
    select
        current_assessment.institution_code as code,
        current_assessment.rank,
        current_assessment.score
    from mart.current_assessment
    where current_assessment.period = :previous_period
)

insert into mart.assessment
select
    :run_id as run_id,
    :period as period,
    bank.scope_code,
    actual.score,
    actual.deductions,
    actual.grade,
    actual.rank,
    before.rank as previous_rank,
    case when actual.code is null then 'unranked' else 'ranked' end as status,
    case when actual.code is null then concat('暂不排名：', missing.reason) end as reason,
    before.score as previous_score
from subject as bank
left join scenario_score as actual
    on
        actual.scenario = 'actual'
        and bank.scope_code = actual.code
left join missing on bank.scope_code = missing.code
left join before on bank.scope_code = before.code
where bank.scope = 'bank'
order by bank.scope_code
