-- How many of the households that a bank is responsible for were visited in the round that counts
-- (docs/figures.md#assessment)? A step: 户 visited more in it. Where no household is assigned, or the bank did not owe
-- its visits and nobody has visited its households, it is not assessed.
with figure as (
    select
        bank_figure.code,
        max(bank_figure.value) filter (where bank_figure.metric = 'households_able') as households,
        max(bank_figure.numerator) filter (where bank_figure.metric = 'visit_coverage_standing') as visited,
        max(bank_figure.numerator) filter (where bank_figure.metric = 'visit_coverage') as visited_in_current_round,
        max(bank_figure.value) filter (where bank_figure.metric = 'visit_coverage_standing') as coverage
    from bank_figure
    group by bank_figure.code
),

moved as (
    select
        asked.code,
        asked.step,
        figure.households,
        figure.visited,
        figure.visited > 0 or owing.institution_code is not null as is_asked,
        case
            when asked.step = 0 then figure.coverage
            else (figure.visited + asked.step) / nullif(figure.households, 0) * 100
        end as coverage,
        -- The round whose coverage is the larger is the one that counts.
        case
            when figure.visited_in_current_round < figure.visited then :current_round - 1
            else :current_round
        end as visit_round
    from asked
    inner join figure on asked.code = figure.code
    left join mart.reporting as owing
        on
            owing.run_id = :run_id
            and owing.report = 'visits'
            and asked.code = owing.institution_code
)

select
    moved.code,
    moved.step,
    moved.step as done,
    case when moved.is_asked then moved.coverage end as raw,
    case when moved.is_asked then moved.coverage / 100 end as points,
    moved.households - moved.visited as farthest,
    case
        when moved.households is null then '《建档立卡户名册》未取得，不考核'
        when moved.households = 0 then '没有责任贫困户，不考核'
        when not moved.is_asked then '本月不需报送贫困户走访存档，不考核'
        else concat('走访覆盖率', round(moved.coverage, 2), '%')
    end as note,
    concat('第', moved.visit_round, '轮再走访', moved.step, '户') as deed
from moved
