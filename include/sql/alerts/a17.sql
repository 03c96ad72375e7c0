-- Which banks, at the pace of the year so far, will not reach 60 % of their target? One row per bank, from April; the
-- measure is the forecast for the year, the threshold 60 % of the target, in households.
--
-- rule: A17
-- aspect: 小额信贷管理
-- level: medium
-- needs: {loans: own}
-- metric: microcredit_completion
select
    target.institution_code,
    null as division_code,
    target.institution_code as subject,
    trim_scale(reached.value * 12 / :month) as measure,
    trim_scale(target.households * 0.6) as threshold,
    concat(
        '本年目标', target.households, '户，1月至', :month, '月新发放', reached.value, '户，按此进度全年预计',
        round(reached.value * 12 / :month, 1), '户，为目标的',
        round(reached.value * 1200 / (cast(:month as numeric) * target.households), 2), '%，低于60%。'
    ) as detail
from target
inner join mart.metric as reached
    on
        reached.run_id = :run_id
        and reached.metric = 'microcredit_ytd_households'
        and reached.scope = 'bank'
        and target.institution_code = reached.scope_code
where
    :month >= 4
    and target.households > 0
    -- Multiplied, not divided: a forecast of exactly 60 % is not below it.
    and reached.value * 12 < 0.6 * target.households * :month
