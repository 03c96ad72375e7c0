-- Does a bank's microcredit grow faster than all loans of the city (docs/figures.md#assessment)?
-- A step: 万元 of microcredit more at the end of the month.
with figure as (
    select
        bank_figure.code,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_year_begin') as year_begin,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_balance') as balance,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_growth') as growth
    from bank_figure
    group by bank_figure.code
),

city as (
    select max(city_figure.value) as growth
    from city_figure
    where city_figure.metric = 'all_loans_growth'
),

moved as (
    select
        asked.code,
        asked.step,
        figure.year_begin,
        figure.balance + asked.step as balance,
        case
            when asked.step = 0 then figure.growth
            else ((figure.balance + asked.step) / nullif(figure.year_begin, 0) - 1) * 100
        end as growth,
        city.growth as city_growth
    from asked
    inner join figure on asked.code = figure.code
    cross join city
)

select
    moved.code,
    moved.step,
    moved.step as done,
    moved.growth as raw,
    case
        when moved.year_begin = 0 then case when moved.balance > 0 then 1 else 0 end
        when moved.growth > moved.city_growth then 1
        when moved.city_growth > 0 then greatest(0, moved.growth / moved.city_growth)
        else 0
    end as points,
    -- Two more than the whole part: it must pass the city's, and that is known to some sixteen digits. Over a city
    -- without any figure of its own a bank gets no points whatever it does.
    case
        when moved.year_begin = 0 then 1
        else floor(moved.year_begin * (1 + moved.city_growth / 100) - moved.balance) + 2
    end as farthest,
    case
        when moved.year_begin = 0 then '年初无扶贫小额信贷余额'
        else concat(
            '扶贫小额信贷增速', round(moved.growth, 2), '%，全市各项贷款增速',
            coalesce(cast(round(moved.city_growth, 2) as text), '—'), '%'
        )
    end as note,
    concat('本月扶贫小额信贷余额再增加', moved.step, '万元') as deed
from moved
