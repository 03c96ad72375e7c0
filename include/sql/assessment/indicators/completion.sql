-- How far is a bank on its way to the year's target of households (docs/figures.md#assessment)?
-- A step: 户 more that got microcredit this year. Without a target it is not assessed.
with figure as (
    select
        bank_figure.code,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_ytd_households') as reached,
        max(bank_figure.value) filter (where bank_figure.metric = 'microcredit_completion') as completion
    from bank_figure
    group by bank_figure.code
),

moved as (
    select
        asked.code,
        asked.step,
        coalesce(target.households, 0) as target,
        figure.reached,
        case
            when asked.step = 0 then figure.completion
            else (figure.reached + asked.step) * 1200 / nullif(cast(target.households as numeric) * :month, 0)
        end as completion
    from asked
    inner join figure on asked.code = figure.code
    left join target on asked.code = target.institution_code
)

select
    moved.code,
    moved.step,
    moved.step as done,
    moved.completion as raw,
    -- least() passes over NULL: without the condition a bank without a target would get full points.
    case when moved.completion is not null then least(1, moved.completion / 100) end as points,
    ceil(moved.target * cast(:month as numeric) / 12) - moved.reached as farthest,
    case
        when moved.target = 0 then '未分配全年目标，不考核'
        else concat('按序时进度完成', round(moved.completion, 2), '%，全年目标', moved.target, '户')
    end as note,
    concat('本月再新增', moved.step, '户') as deed
from moved
