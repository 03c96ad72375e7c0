-- May a bank have new relending, and may what it has be extended (docs/figures.md#relending-advice)?
-- One row per local legal person open in the period, with the reasons.
insert into mart.relending_advice
select
    :run_id as run_id,
    :period as period,
    bank.code,
    advice.issue,
    advice.extension,
    case
        when assessment.grade is null then assessment.reason
        else concat(
            '考核等次', assessment.grade, '（', assessment.score, '分）；',
            growth.note, '，', case when growth.points = 1 then '达到' else '未达到' end, '基础指标要求；',
            quality.note
        )
    end as reason
from open_institution as bank
inner join mart.assessment
    on
        assessment.run_id = :run_id
        and bank.code = assessment.institution_code
inner join
    jsonb_to_recordset(cast(:advice as jsonb)) as advice (grade text, issue text, extension text)
    on coalesce(assessment.grade, '') = advice.grade
left join mart.assessment_item as growth
    on
        growth.run_id = :run_id
        and bank.code = growth.institution_code
        and growth.indicator = 'growth'
left join mart.assessment_item as quality
    on
        quality.run_id = :run_id
        and bank.code = quality.institution_code
        and quality.indicator = 'quality'
where bank.local_legal_person
order by bank.code
