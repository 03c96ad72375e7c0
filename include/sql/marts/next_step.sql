-- What would one step better in one indicator give a ranked bank, all else unchanged (docs/figures.md#assessment)?
-- One step is the fewest units that win a place by this indicator alone; where it cannot win one, those that bring it
-- to full points. One row per ranked bank and indicator that is assessed and has not got full points; growth has none
-- either where the city's is not known.
with smallest as (
    select
        judged_step.code,
        judged_step.indicator,
        min(judged_step.step) as step
    from judged_step
    where judged_step.is_enough
    group by judged_step.code, judged_step.indicator
),

told as (
    select
        smallest.code,
        smallest.indicator,
        -- The last unit of what is overdue may be a part of one.
        case
            when smallest.indicator = 'quality' then trim_scale(least(smallest.step, actual.overdue))
            else smallest.step
        end as step,
        case
            when smallest.indicator in ('growth', 'quality') then '万元'
            when smallest.indicator = 'matching' then '个'
            when smallest.indicator = 'reporting' then '份'
            else '户'
        end as unit,
        item.raw as raw_before,
        after.raw as raw_after,
        before.score as score_before,
        after.score as score_after,
        before.grade as grade_before,
        after.grade as grade_after,
        before.rank as rank_before,
        after.rank as rank_after,
        actual.visit_round,
        wording.place
    from smallest
    inner join scenario as actual
        on
            actual.scenario = 'actual'
            and smallest.code = actual.code
    inner join scenario_item as item
        on
            item.scenario = 'actual'
            and smallest.code = item.code
            and smallest.indicator = item.indicator
    inner join scenario_score as before
        on
            before.scenario = 'actual'
            and smallest.code = before.code
    inner join scenario_score as after
        on
            smallest.code = after.code
            and smallest.indicator = after.scenario
            and smallest.step = after.step
    inner join jsonb_to_recordset(cast(:weights as jsonb)) as wording (indicator text, place integer)
        on smallest.indicator = wording.indicator
),

worded as (
    select
        told.*,
        case told.indicator
            when 'growth' then concat('本月扶贫小额信贷余额再增加', told.step, '万元')
            when 'completion' then concat('本月再新增', told.step, '户')
            when 'matching' then concat('再答复', told.step, '个推送项目')
            when 'visits' then concat('第', told.visit_round, '轮再走访', told.step, '户')
            when 'quality' then concat('再收回逾期扶贫小额信贷', told.step, '万元')
            when 'reporting' then concat('今年再有', told.step, '份报表按时报送并一次通过')
        end as deed,
        concat(
            case told.indicator
                when 'growth' then '增速'
                when 'completion' then '完成率'
                when 'matching' then '对接率'
                when 'visits' then '走访覆盖率'
                when 'quality' then '逾期率'
                when 'reporting' then '报送质量'
            end,
            coalesce(cast(round(told.raw_before, 2) as text) || '%', '无'),
            '→',
            coalesce(cast(round(told.raw_after, 2) as text) || '%', '无')
        ) as movement
    from told
)

insert into mart.next_step
select
    :run_id as run_id,
    :period as period,
    worded.code,
    worded.indicator,
    worded.step,
    worded.unit,
    worded.raw_before,
    worded.raw_after,
    worded.score_before,
    worded.score_after,
    worded.grade_before,
    worded.grade_after,
    worded.rank_before,
    worded.rank_after,
    concat(worded.deed, '：', worded.movement) as action,
    concat(
        worded.deed, '：', worded.movement, '，得分+', worded.score_after - worded.score_before,
        case
            when worded.rank_after < worded.rank_before
                then concat('，名次', worded.rank_before, '→', worded.rank_after)
            else concat('，名次不变（第', worded.rank_before, '名）')
        end,
        case
            when worded.grade_after <> worded.grade_before
                then concat('，等级', worded.grade_before, '→', worded.grade_after)
        end,
        '。'
    ) as sentence
from worded
order by worded.code, worded.place
