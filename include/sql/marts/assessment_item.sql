-- How many points (0 to 1) does each assessed bank get for each indicator, and why (docs/figures.md#assessment)?
-- One row per bank with both ledger and position, and indicator; points are NULL where it is not assessed.
insert into mart.assessment_item
select
    :run_id as run_id,
    :period as period,
    item.code,
    item.indicator,
    weighed.weight,
    item.raw,
    item.points,
    case item.indicator
        when 'growth'
            then case
                when actual.year_begin = 0 then '年初无扶贫小额信贷余额'
                else concat(
                    '扶贫小额信贷增速', round(item.raw, 2), '%，全市各项贷款增速',
                    coalesce(cast(round(actual.city_growth, 2) as text), '—'), '%'
                )
            end
        when 'completion'
            then case
                when actual.target = 0 then '未分配全年目标，不考核'
                else concat('按序时进度完成', round(item.raw, 2), '%，全年目标', actual.target, '户')
            end
        when 'matching'
            then case
                when actual.offered is null then '《产业扶贫项目库》未取得，不考核'
                when actual.offered = 0 then '没有推送的项目，不考核'
                when item.raw is null then '未报送产业项目对接表'
                else concat('推送项目', actual.offered, '个，对接率', round(item.raw, 2), '%')
            end
        when 'visits'
            then case
                when actual.households is null then '《建档立卡户名册》未取得，不考核'
                when actual.households = 0 then '没有责任贫困户，不考核'
                else concat('走访覆盖率', round(item.raw, 2), '%')
            end
        when 'quality'
            then case
                when actual.overdue_of = 0 then '无扶贫小额信贷余额'
                else concat('扶贫小额信贷逾期率', round(item.raw, 2), '%')
            end
        when 'reporting'
            then concat(
                '本年应报', actual.expected, '份，按时', actual.on_time, '份；收到', actual.received,
                '份，一次通过', actual.first_pass, '份'
            )
    end as note
from scenario_item as item
inner join scenario as actual
    on
        item.code = actual.code
        and item.scenario = actual.scenario
inner join
    jsonb_to_recordset(cast(:weights as jsonb)) as weighed (indicator text, weight numeric, place integer)
    on item.indicator = weighed.indicator
where item.scenario = 'actual'
order by item.code, weighed.place
