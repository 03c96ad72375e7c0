-- Which households owe microcredit without being registered, or without anyone able to work? One row per bank and
-- household; the measure is what it owes that bank in yuan. That a household is on no register can be known only when
-- every office's register is in; until then what is known of it stays.
--
-- rule: A08
-- aspect: 贷款质量和用途真实性
-- level: medium
-- needs: {loans: own}
-- metric: microcredit_balance
with doubtful as (
    select
        borrowing_household.household_no,
        households.household_no is null as is_unregistered,
        households.town_code
    from borrowing_household
    left join households on borrowing_household.household_no = households.household_no
    where
        borrowing_household.is_served
        and (
            households.household_no is null
            or households.workers = 0
        )
),

owed as (
    select
        loans.delivered_by as institution_code,
        loans.household_no,
        case when min(loans.town_code) = max(loans.town_code) then min(loans.town_code) end as town_code,
        array_agg(loans.contract_no) as contract_nos,
        count(*) as contracts,
        sum(loans.balance) as balance
    from loans
    where
        loans.microcredit
        and loans.balance > 0
        and loans.household_no in (select doubtful.household_no from doubtful)
    group by loans.delivered_by, loans.household_no
)

select
    owed.institution_code,
    coalesce(doubtful.town_code, owed.town_code) as division_code,
    owed.household_no as subject,
    owed.contract_nos,
    doubtful.is_unregistered
    and exists (select 1 from missing_report where missing_report.report = 'households') as is_unjudged,
    owed.balance as measure,
    cast(null as numeric) as threshold,
    concat(
        '户', owed.household_no,
        case
            when doubtful.is_unregistered then '不在任何县区的建档立卡户名册中'
            else '没有劳动力'
        end,
        '，却有扶贫小额信贷', owed.contracts, '笔，余额',
        to_char(round(owed.balance / 10000, 2), 'FM999,999,999,990.00'), '万元。'
    ) as detail
from owed
inner join doubtful on owed.household_no = doubtful.household_no
