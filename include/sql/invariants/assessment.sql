-- Which banks are assessed wrongly in form? One row per bank and fault: not assessed once; a score outside 0 to 100;
-- points outside 0 to 1; ranked without score, grade or items; unranked with any of them or without a reason.
--
-- invariant: every open bank is assessed once, within bounds, or unranked with a reason
with bank as (
    select
        subject.scope_code as code,
        assessment.institution_code is not null as is_assessed,
        assessment.status,
        assessment.score,
        assessment.deductions,
        assessment.grade,
        assessment.rank,
        assessment.reason,
        (
            select count(*)
            from mart.assessment_item as item
            where
                item.run_id = :run_id
                and subject.scope_code = item.institution_code
        ) as items
    from subject
    left join mart.assessment
        on
            assessment.run_id = :run_id
            and subject.scope_code = assessment.institution_code
    where subject.scope = 'bank'
)

select
    bank.code as subject,
    concat(bank.status, ', score ', bank.score, ', grade ', bank.grade, ', rank ', bank.rank, ', items ', bank.items)
        as detail
from bank
where
    not bank.is_assessed
    or (
        bank.status = 'ranked'
        and not (
            bank.score between 0 and 100
            and bank.deductions >= 0
            and bank.grade is not null
            and bank.rank is not null
            and bank.items > 0
        )
    )
    or (
        bank.status = 'unranked'
        and not (
            bank.score is null
            and bank.deductions is null
            and bank.grade is null
            and bank.rank is null
            and bank.reason is not null
            and bank.items = 0
        )
    )
union all
select
    item.institution_code as subject,
    concat(item.indicator, ' has points ', round(item.points, 6)) as detail
from mart.assessment_item as item
where
    item.run_id = :run_id
    and item.points not between 0 and 1
union all
select
    assessment.institution_code as subject,
    'is assessed and not open' as detail
from mart.assessment
where
    assessment.run_id = :run_id
    and assessment.institution_code not in (select subject.scope_code from subject where subject.scope = 'bank')
order by subject, detail
