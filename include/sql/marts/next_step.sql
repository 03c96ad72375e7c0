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

worded as (
    select
        smallest.code,
        smallest.indicator,
        after.done as step,
        declared.unit,
        declared.place,
        item.raw as raw_before,
        after.raw as raw_after,
        score_before.score as score_before,
        score_after.score as score_after,
        score_before.grade as grade_before,
        score_after.grade as grade_after,
        score_before.rank as rank_before,
        score_after.rank as rank_after,
        after.deed,
        concat(
            declared.measure,
            coalesce(cast(round(item.raw, 2) as text) || '%', '无'),
            '→',
            coalesce(cast(round(after.raw, 2) as text) || '%', '无')
        ) as movement
    from smallest
    inner join scenario_item as item
        on
            item.step = 0
            and smallest.code = item.code
            and smallest.indicator = item.indicator
    inner join scenario_item as after
        on
            smallest.code = after.code
            and smallest.indicator = after.indicator
            and smallest.step = after.step
    inner join scenario_score as score_before
        on
            score_before.scenario = 'actual'
            and smallest.code = score_before.code
    inner join scenario_score as score_after
        on
            smallest.code = score_after.code
            and smallest.indicator = score_after.scenario
            and smallest.step = score_after.step
    inner join
        jsonb_to_recordset(cast(:indicators as jsonb))
            as declared (indicator text, place integer, unit text, measure text)
        on smallest.indicator = declared.indicator
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
