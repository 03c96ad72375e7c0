-- How much of the guarantee and subsidy money due has arrived (docs/figures.md#funds-and-league)?
-- One row per metric and city, county (of the delivering office) or bank; amounts in 万元, rate in percent.
with placed as (
    select
        place.scope,
        place.scope_code,
        guarantee_funds.due_amount,
        guarantee_funds.arrived_amount,
        guarantee_funds.due_on <= :period_end as is_due
    from guarantee_funds
    inner join known_institution as office on guarantee_funds.delivered_by = office.code
    cross join lateral (
        values
        ('city', :city),
        ('county', office.division_code),
        ('bank', guarantee_funds.bank_code)
    ) as place (scope, scope_code)
),

summed as (
    select
        placed.scope,
        placed.scope_code,
        sum(placed.due_amount) filter (where placed.is_due) as due,
        sum(placed.arrived_amount) filter (where placed.is_due) as arrived,
        sum(placed.arrived_amount) as total_arrived
    from placed
    group by placed.scope, placed.scope_code
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(summed.due, 0) as due,
        coalesce(summed.arrived, 0) as arrived,
        coalesce(summed.total_arrived, 0) as total_arrived
    from reported_subject as subject
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    where
        subject.report = 'guarantee_funds'
        and subject.scope <> 'town'
)

select
    counted.scope,
    counted.scope_code,
    figure.metric,
    figure.value,
    figure.numerator,
    figure.denominator
from counted
cross join lateral (
    values
    ('fund_due', counted.due, null, null),
    ('fund_arrived', counted.arrived, null, null),
    ('fund_arrival_rate', counted.arrived / nullif(counted.due, 0) * 100, counted.arrived, counted.due),
    ('fund_total_arrived', counted.total_arrived, null, null)
) as figure (metric, value, numerator, denominator)
