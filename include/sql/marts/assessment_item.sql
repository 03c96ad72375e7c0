-- How many points (0 to 1) does each assessed bank get for each indicator (spec/04, Assessment)?
-- One row per bank with both ledger and position, and indicator; points are NULL where it is not assessed.
with figure as (
    select
        metric.scope_code as code,
        max(metric.value) filter (where metric.metric = 'microcredit_balance') as balance,
        max(metric.value) filter (where metric.metric = 'microcredit_year_begin') as year_begin,
        max(metric.value) filter (where metric.metric = 'microcredit_growth') as growth,
        max(metric.value) filter (where metric.metric = 'microcredit_completion') as completion,
        max(metric.value) filter (where metric.metric = 'projects_offered') as offered,
        max(metric.value) filter (where metric.metric = 'match_rate') as match_rate,
        max(metric.value) filter (where metric.metric = 'visit_coverage_standing') as coverage,
        max(metric.value) filter (where metric.metric = 'microcredit_overdue_ratio') as overdue_ratio
    from mart.metric
    where
        metric.run_id = :run_id
        and metric.scope = 'bank'
    group by metric.scope_code
),

reported as (
    select
        reporting.institution_code as code,
        count(*) filter (where reporting.status in ('accepted', 'nil')) as received,
        count(*) as expected,
        count(*) filter (where reporting.on_time) as on_time,
        count(*) filter (where reporting.first_pass) as first_pass
    from mart.reporting
    inner join mart.run on reporting.run_id = run.run_id
    where
        (run.run_id = :run_id or (run.current and run.period < :period))
        and run.period >= :year_first_period
    group by reporting.institution_code
),

city as (
    select max(metric.value) as growth
    from mart.metric
    where
        metric.run_id = :run_id
        and metric.scope = 'city'
        and metric.metric = 'all_loans_growth'
),

assessed as (
    select
        bank.scope_code as code,
        city.growth as city_growth,
        coalesce(target.households, 0) as target,
        figure.balance,
        figure.year_begin,
        figure.growth,
        figure.completion,
        figure.offered,
        figure.match_rate,
        figure.coverage,
        figure.overdue_ratio,
        coalesce(reported.received, 0) as received,
        coalesce(reported.expected, 0) as expected,
        coalesce(reported.on_time, 0) as on_time,
        coalesce(reported.first_pass, 0) as first_pass,
        exists(
            select 1
            from present
            where
                present.report = 'matches'
                and present.institution_code = bank.scope_code
        ) as has_matches
    from subject as bank
    cross join city
    inner join figure on bank.scope_code = figure.code
    left join reported on bank.scope_code = reported.code
    left join target on bank.scope_code = target.institution_code
    where
        bank.scope = 'bank'
        and (
            select count(*)
            from present
            where
                present.institution_code = bank.scope_code
                and present.report in ('loans', 'position')
        ) = 2
),

item as (
    select
        assessed.code,
        judged.indicator,
        judged.raw,
        judged.points,
        judged.note
    from assessed
    cross join lateral (
        values
        (
            'growth',
            assessed.growth,
            case
                when assessed.year_begin = 0
                    then case when assessed.balance > 0 then 1 else 0 end
                when assessed.growth > assessed.city_growth then 1
                when assessed.city_growth > 0 then greatest(0, assessed.growth / assessed.city_growth)
                else 0
            end,
            case
                when assessed.year_begin = 0 then '年初无扶贫小额信贷余额'
                else concat(
                    '扶贫小额信贷增速', round(assessed.growth, 2), '%，全市各项贷款增速',
                    coalesce(cast(round(assessed.city_growth, 2) as text), '—'), '%'
                )
            end
        ),
        (
            'completion',
            assessed.completion,
            -- least() passes over NULL: without the condition a bank without a target would get full points.
            case when assessed.completion is not null then least(1, assessed.completion / 100) end,
            case
                when assessed.target = 0 then '未分配全年目标，不考核'
                else concat('按序时进度完成', round(assessed.completion, 2), '%，全年目标', assessed.target, '户')
            end
        ),
        (
            'matching',
            assessed.match_rate,
            case
                when coalesce(assessed.offered, 0) = 0 then null
                when not assessed.has_matches then 0
                else assessed.match_rate / 100
            end,
            case
                when coalesce(assessed.offered, 0) = 0 then '没有推送的项目，不考核'
                when not assessed.has_matches then '未报送产业项目对接表'
                else concat('推送项目', assessed.offered, '个，对接率', round(assessed.match_rate, 2), '%')
            end
        ),
        (
            'visits',
            assessed.coverage,
            assessed.coverage / 100,
            case
                when assessed.coverage is null then '没有责任贫困户，不考核'
                else concat('走访覆盖率', round(assessed.coverage, 2), '%')
            end
        ),
        (
            'quality',
            assessed.overdue_ratio,
            case
                when assessed.balance = 0 or assessed.overdue_ratio <= :full_points_up_to then 1
                when assessed.overdue_ratio >= :no_points_from then 0
                else
                    (:no_points_from - assessed.overdue_ratio)
                    / (cast(:no_points_from as numeric) - cast(:full_points_up_to as numeric))
            end,
            case
                when assessed.balance = 0 then '无扶贫小额信贷余额'
                else concat('扶贫小额信贷逾期率', round(assessed.overdue_ratio, 2), '%')
            end
        ),
        (
            'reporting',
            100 * (
                assessed.on_time / nullif(cast(assessed.expected as numeric), 0)
                + assessed.first_pass / nullif(cast(assessed.received as numeric), 0)
            ) / 2,
            coalesce(
                (
                    assessed.on_time / nullif(cast(assessed.expected as numeric), 0)
                    + assessed.first_pass / nullif(cast(assessed.received as numeric), 0)
                ) / 2,
                0
            ),
            concat(
                '本年应报', assessed.expected, '份，按时', assessed.on_time, '份；收到', assessed.received,
                '份，一次通过', assessed.first_pass, '份'
            )
        )
    ) as judged (indicator, raw, points, note)
)

insert into mart.assessment_item
select
    :run_id as run_id,
    :period as period,
    item.code,
    item.indicator,
    weighed.weight,
    item.raw,
    item.points,
    item.note
from item
inner join
    jsonb_to_recordset(cast(:weights as jsonb)) as weighed (indicator text, weight numeric, place integer)
    on item.indicator = weighed.indicator
order by item.code, weighed.place
