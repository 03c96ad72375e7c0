-- Which banks have too many overdue loans, or one point more than a month ago? One row per bank; the measure is the
-- overdue ratio in percent, the threshold the bound that it has passed.
-- Where the ledger of the month before is missing, nobody knows whether a ratio from 1 to 3 has risen by a point. What
-- is known of the bank stays.
--
-- rule: A11
-- aspect: 贷款质量和用途真实性
-- level: medium
-- needs: {loans: own}
-- metric: microcredit_overdue_ratio
with ratio as (
    select
        bank.scope_code as institution_code,
        figure.value,
        before.value as before,
        figure.value > 3 as is_high,
        -- Multiplied, not divided: a rise of exactly one point is one, however its quotients are rounded.
        before.value is not null
        and figure.numerator * before.denominator * 100
        >= before.numerator * figure.denominator * 100 + figure.denominator * before.denominator as has_risen,
        -- No row, not even one without a value: no ledger.
        before.scope_code is null and figure.value >= 1 as may_have_risen
    from subject as bank
    inner join mart.metric as figure
        on
            figure.run_id = :run_id
            and figure.metric = 'overdue_ratio'
            and bank.scope = figure.scope
            and bank.scope_code = figure.scope_code
    left join mart.current_metric as before
        on
            before.period = :previous_period
            and before.metric = 'overdue_ratio'
            and bank.scope = before.scope
            and bank.scope_code = before.scope_code
    where
        bank.scope = 'bank'
        and figure.value is not null
)

select
    ratio.institution_code,
    null as division_code,
    ratio.institution_code as subject,
    not ratio.is_high and not ratio.has_risen as is_unjudged,
    ratio.value as measure,
    case when ratio.is_high then 3 else ratio.before + 1 end as threshold,
    concat(
        '金融精准扶贫贷款逾期率', round(ratio.value, 2), '%',
        case when ratio.is_high then '，高于3%' end,
        case when ratio.has_risen then concat('，比上月上升', round(ratio.value - ratio.before, 2), '个百分点') end,
        '。'
    ) as detail
from ratio
where
    ratio.is_high
    or ratio.has_risen
    or ratio.may_have_risen
