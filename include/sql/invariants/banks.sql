-- Which figures of the banks do not add up to the city's? One row per metric. A bank that is no longer open has no
-- figures of its own. Where it has delivered, or stands in a register, nothing can be said of the sum.
--
-- invariant: banks add up to the city
with additive as (
    select declared.metric
    from jsonb_to_recordset(cast(:additive as jsonb)) as declared (metric text, scopes jsonb)
    where declared.scopes ? 'bank'
),

named_bank as (
    select run_version.institution_code as code
    from run_version
    union
    select households.bank_code as code
    from households
    union
    select guarantee_funds.bank_code as code
    from guarantee_funds
),

closed_bank as (
    select named_bank.code
    from named_bank
    inner join registry.institution
        on
            named_bank.code = institution.code
            and institution.kind = 'bank'
    where named_bank.code not in (select subject.scope_code from subject where subject.scope = 'bank')
)

select
    metric.metric as subject,
    concat(
        'city ', max(metric.value) filter (where metric.scope = 'city'), ', banks ',
        sum(metric.value) filter (where metric.scope = 'bank')
    ) as detail
from mart.metric
inner join additive on metric.metric = additive.metric
where
    metric.run_id = :run_id
    and metric.scope in ('city', 'bank')
    and not exists (select 1 from closed_bank)
group by metric.metric
having
    coalesce(max(metric.value) filter (where metric.scope = 'city'), 0)
    <> coalesce(sum(metric.value) filter (where metric.scope = 'bank'), 0)
order by subject
