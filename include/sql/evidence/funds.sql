-- Which rows of the fund ledgers make a figure (docs/figures.md#restatement-and-proof)? One row per bank, kind of fund
-- and year; amounts in 万元.
with placed as (
    select
        guarantee_funds.*,
        guarantee_funds.due_on <= :period_end as is_due
    from guarantee_funds
    inner join known_institution as office on guarantee_funds.delivered_by = office.code
    where
        case :scope
            when 'city' then true
            when 'county' then office.division_code = :code
            when 'bank' then guarantee_funds.bank_code = :code
        end
)

select
    'guarantee_funds' as report,
    placed.submission_id,
    placed.row_number,
    case when figure.denominator is null then 'numerator' else 'both' end as part,
    cast(null as text) as counted,
    figure.numerator,
    figure.denominator,
    cast(null as jsonb) as content
from placed
cross join
    lateral (
        values
        ('fund_due', placed.is_due, placed.due_amount, null),
        ('fund_arrived', placed.is_due, placed.arrived_amount, null),
        ('fund_arrival_rate', placed.is_due, placed.arrived_amount, placed.due_amount),
        ('fund_total_arrived', true, placed.arrived_amount, null)
    ) as figure (metric, holds, numerator, denominator)
where
    figure.metric = :metric
    and figure.holds
