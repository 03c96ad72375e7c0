-- How much of a bank's microcredit is overdue, between the two bounds of the scheme (docs/figures.md#assessment)?
-- A step: 万元 of what is overdue collected.
with figure as (
    select
        bank_figure.code,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_balance') as balance,
        max(bank_figure.numerator) filter (where bank_figure.metric = 'microcredit_overdue_ratio') as overdue,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_overdue_ratio') as overdue_ratio
    from bank_figure
    group by bank_figure.code
),

collected as (
    select
        asked.code,
        asked.step,
        figure.overdue,
        figure.overdue_ratio as ratio_before,
        least(asked.step, figure.overdue) as amount,
        -- What is collected lowers what is overdue and what is owed in all.
        figure.balance - least(asked.step, figure.overdue) as balance_after,
        figure.overdue - least(asked.step, figure.overdue) as overdue_after
    from asked
    inner join figure on asked.code = figure.code
),

moved as (
    select
        collected.*,
        case
            when collected.step = 0 then collected.ratio_before
            else collected.overdue_after / nullif(collected.balance_after, 0) * 100
        end as overdue_ratio
    from collected
)

select
    moved.code,
    moved.step,
    -- The last 万元 may be a part of one.
    trim_scale(moved.amount) as done,
    moved.overdue_ratio as raw,
    case
        when moved.balance_after = 0 or moved.overdue_ratio <= :full_points_up_to then 1
        when moved.overdue_ratio >= :no_points_from then 0
        else
            (:no_points_from - moved.overdue_ratio)
            / (cast(:no_points_from as numeric) - cast(:full_points_up_to as numeric))
    end as points,
    ceil(moved.overdue) as farthest,
    case
        when moved.balance_after = 0 then '无扶贫小额信贷余额'
        else concat('扶贫小额信贷逾期率', round(moved.overdue_ratio, 2), '%')
    end as note,
    concat('再收回逾期扶贫小额信贷', trim_scale(moved.amount), '万元') as deed
from moved
