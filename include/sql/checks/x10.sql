-- Where does the league's row of the own city differ from the figures computed from the banks' ledgers?
-- One row per column that differs; amounts in 万元 with two decimals, as the league gives them.
--
-- rule: X10
-- level: notice
-- across: reports
-- moment: standing
-- report: league
-- column: balance
-- needs: [loans]
-- message: 本市一行与按各银行台账计算的{expected}不一致，相差{difference}，请与省级汇总口径核对。
with microcredit as (
    select
        delivered_by,
        household_no,
        principal,
        balance,
        issued_on >= :year_begin and issued_on <= :period_end as is_of_the_year
    from core.loans
    where
        period = :period
        and microcredit
),

-- Added up bank by bank: all loans in the order of their households would be sorted on disk.
lent as (
    select
        array_agg(household_no) filter (where is_of_the_year) as ytd_households,
        sum(principal) filter (where is_of_the_year) as ytd_amount,
        sum(balance) as balance
    from microcredit
    group by delivered_by
),

-- Made different before they are counted: to count different ones sorts them, on disk where they are many.
borrower as (
    select distinct household.household_no
    from lent
    cross join unnest(lent.ytd_households) as household (household_no)
),

borrowed as (
    select count(household_no) as ytd_households
    from borrower
),

amounts as (
    select
        round(coalesce(sum(ytd_amount), 0) / 10000, 2) as ytd_amount,
        round(coalesce(sum(balance), 0) / 10000, 2) as balance
    from lent
),

computed as (
    select
        borrowed.ytd_households,
        amounts.ytd_amount,
        amounts.balance
    from borrowed
    cross join amounts
)

select
    league.delivered_by as institution_code,
    league.row_number,
    league.city_code as key,
    figure.column_name,
    figure.stated::text as value,
    figure.computed::text as expected,
    figure.stated - figure.computed as difference
from core.league
inner join registry.division as city
    on
        league.city_code = city.code
        and city.level = 'city'
cross join computed
cross join
    lateral (
        values
        ('ytd_households', league.ytd_households::numeric, computed.ytd_households::numeric),
        ('ytd_amount', league.ytd_amount, computed.ytd_amount),
        ('balance', league.balance, computed.balance)
    ) as figure (column_name, stated, computed)
where
    league.period = :period
    and figure.stated <> figure.computed
order by league.delivered_by, league.row_number, figure.column_name
