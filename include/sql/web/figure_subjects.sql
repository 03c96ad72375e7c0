-- What has a figure of a metric in a scope, and what was it in the month before? One row per subject that the run knew:
-- the divisions of a level, of one parent where it is given, or the banks that were open.
with subject as (
    select
        division.code,
        division.name,
        division.parent_code,
        parent.name as parent_name
    from mart.run_division as division
    left join mart.run_division as parent
        on division.run_id = parent.run_id and division.parent_code = parent.code
    where
        division.run_id = :run_id
        and division.level = :scope
        and (cast(:parent as text) is null or division.parent_code = :parent)
    union all
    select
        bank.code,
        bank.short_name as name,
        null as parent_code,
        null as parent_name
    from mart.run_institution as bank
    where
        bank.run_id = :run_id
        and bank.kind = :scope
        and bank.is_open
)

select
    subject.code,
    subject.name,
    subject.parent_code,
    subject.parent_name,
    now.value,
    now.numerator,
    now.denominator,
    before.value as value_before,
    before.numerator as numerator_before,
    before.denominator as denominator_before
from subject
left join mart.metric as now
    on
        now.run_id = :run_id
        and now.metric = :metric
        and now.scope = :scope
        and subject.code = now.scope_code
left join mart.metric as before
    on
        before.run_id = :run_before
        and before.metric = :metric
        and before.scope = :scope
        and subject.code = before.scope_code
order by subject.code
