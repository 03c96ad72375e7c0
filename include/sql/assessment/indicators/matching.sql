-- How many of the projects pushed to a bank has it answered (docs/figures.md#assessment)?
-- A step: 个 of projects answered more. It is not assessed where nothing was pushed, or where the bank did not owe its
-- answers and has given none.
with figure as (
    select
        bank_figure.code,
        max(bank_figure.value) filter (where bank_figure.metric = 'projects_offered') as offered,
        max(bank_figure.value) filter (where bank_figure.metric = 'projects_answered') as answered,
        max(bank_figure.value) filter (where bank_figure.metric = 'match_rate') as match_rate
    from bank_figure
    group by bank_figure.code
),

moved as (
    select
        asked.code,
        asked.step,
        figure.offered,
        -- A bank whose answers are not in has answered nothing yet.
        coalesce(figure.answered, 0) as answered,
        figure.match_rate is not null or owing.institution_code is not null as is_asked,
        case
            when asked.step = 0 then figure.match_rate
            else (coalesce(figure.answered, 0) + asked.step) / nullif(figure.offered, 0) * 100
        end as match_rate
    from asked
    inner join figure on asked.code = figure.code
    left join mart.reporting as owing
        on
            owing.run_id = :run_id
            and owing.report = 'matches'
            and asked.code = owing.institution_code
)

select
    moved.code,
    moved.step,
    moved.step as done,
    moved.match_rate as raw,
    -- Without a rate where something was offered, the bank's matches are missing.
    case when moved.offered > 0 and moved.is_asked then coalesce(moved.match_rate / 100, 0) end as points,
    moved.offered - moved.answered as farthest,
    case
        when moved.offered is null then '《产业扶贫项目库》未取得，不考核'
        when moved.offered = 0 then '没有推送的项目，不考核'
        when not moved.is_asked then '本月不需报送产业项目对接表，不考核'
        when moved.match_rate is null then '未报送产业项目对接表'
        else concat('推送项目', moved.offered, '个，对接率', round(moved.match_rate, 2), '%')
    end as note,
    concat('再答复', moved.step, '个推送项目') as deed
from moved
