-- How many households is each bank to reach this year? The city's target split in proportion to the funds that had
-- arrived at the basis close, by largest remainder; ties go to the larger fund, then the smaller code
-- (docs/figures.md#targets). One row per bank open at the basis close; the parts add up to the city's target exactly.
with fund as (
    select
        bank.code,
        coalesce(given.fund, 0) as fund
    from registry.institution as bank
    left join
        jsonb_to_recordset(cast(:funds as jsonb)) as given (code text, fund numeric)
        on bank.code = given.code
    where
        bank.kind = 'bank'
        and bank.opened_on <= :basis_end
        and (bank.closed_on is null or bank.closed_on > :basis_end)
),

quota as (
    select
        fund.code,
        fund.fund,
        fund.fund * :households / sum(fund.fund) over () as quota,
        div(fund.fund * :households, sum(fund.fund) over ()) as whole,
        mod(fund.fund * :households, sum(fund.fund) over ()) as remainder
    from fund
),

ordered as (
    select
        quota.*,
        row_number() over (order by quota.remainder desc, quota.fund desc, quota.code asc) as place,
        :households - sum(quota.whole) over () as left_over
    from quota
)

insert into mart.target
select
    :year as year,
    :revision as revision,
    :from_period as from_period,
    :reason as reason,
    ordered.code,
    ordered.fund,
    ordered.quota,
    ordered.whole + case when ordered.place <= ordered.left_over then 1 else 0 end as households
from ordered
order by ordered.code
