-- Which loans should an inspection look at (docs/figures.md#inspection-list)? One row per outlet and loan drawn.
-- Drawn from the outlet's loans with a balance, and those settled on which an alert is open: as many as the sample asks
-- for, or all. The first half (one more where the number is odd) are the riskiest: by weighted open alerts about the
-- loan, then overdue days, risk class and balance. The others are random: by `draw`, the SHA-256 of the outlet's seed,
-- a slash and the contract number. Who knows the seed can draw again; it is made from the digest of everyone's input,
-- so nobody can foresee it.
with weighed as (
    select
        alerted_loan.code,
        alerted_loan.contract_no,
        sum(alerted_loan.weight) as weight,
        string_agg(distinct alerted_loan.rule, '、' order by alerted_loan.rule) as rules
    from alerted_loan
    group by alerted_loan.code, alerted_loan.contract_no
),

ranked as (
    select
        outlet.place as outlet_place,
        outlet.seed,
        loans.delivered_by,
        loans.town_code,
        loans.contract_no,
        loans.household_no,
        loans.balance,
        loans.overdue_days,
        loans.risk_class,
        weighed.rules,
        row_number() over (
            partition by outlet.place
            order by
                coalesce(weighed.weight, 0) desc,
                loans.overdue_days desc,
                array_position(array['损失', '可疑', '次级', '关注', '正常'], loans.risk_class) asc,
                loans.balance desc,
                loans.contract_no asc
        ) as risk_place,
        least(
            count(*) over (partition by outlet.place),
            cast(:sample_loans as integer)
        ) as wanted
    from loans
    inner join mart.inspection_outlet as outlet
        on
            outlet.run_id = :run_id
            and loans.delivered_by = outlet.institution_code
            and loans.town_code = outlet.town_code
    left join weighed
        on
            loans.delivered_by = weighed.code
            and loans.contract_no = weighed.contract_no
    where
        loans.balance > 0
        or weighed.contract_no is not null
),

halved as (
    select
        ranked.*,
        (ranked.wanted + 1) / 2 as risky,
        ranked.risk_place <= (ranked.wanted + 1) / 2 as is_risky
    from ranked
),

-- Bytes are in the order of their hexadecimal digits, and are half as long.
drawn as (
    select
        halved.*,
        case
            when not halved.is_risky then sha256(convert_to(halved.seed || '/' || halved.contract_no, 'UTF8'))
        end as draw
    from halved
),

placed as (
    select
        drawn.*,
        case
            when drawn.is_risky then drawn.risk_place
            else
                drawn.risky + row_number() over (
                    partition by drawn.outlet_place, drawn.is_risky
                    order by drawn.draw asc, drawn.contract_no asc
                )
        end as place
    from drawn
)

insert into mart.inspection_sample
select
    :run_id as run_id,
    :period as period,
    placed.delivered_by,
    placed.town_code,
    placed.contract_no,
    placed.place,
    case when placed.is_risky then 'risk' else 'random' end as drawn,
    encode(placed.draw, 'hex') as draw,
    placed.household_no,
    placed.balance,
    placed.overdue_days,
    placed.risk_class,
    concat_ws(
        '；',
        case when not placed.is_risky then '随机抽取' end,
        '预警' || placed.rules,
        case when placed.overdue_days > 0 then concat('逾期', placed.overdue_days, '天') end,
        nullif(placed.risk_class, '正常'),
        concat('余额', round(placed.balance / 10000, 2), '万元')
    ) as reason
from placed
where placed.place <= placed.wanted
order by placed.delivered_by, placed.town_code, placed.place
