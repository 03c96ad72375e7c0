-- Which guarantee and subsidy funds have not arrived in full by the day agreed? One row per office, bank, kind and
-- year; the measure is what has arrived, the threshold what is due, in units of 10,000 yuan.
--
-- rule: A01
-- aspect: 主体责任落实
-- level: medium
-- needs: {guarantee_funds: own}
-- metric: fund_arrival_rate
with short as (
    select
        fund.delivered_by as institution_code,
        office.division_code,
        concat_ws('/', fund.bank_code, fund.kind, fund.year) as subject,
        coalesce(bank.short_name, fund.bank_code) as bank_name,
        fund.kind,
        fund.year,
        fund.due_on,
        fund.due_amount,
        fund.arrived_amount,
        cast(:period_end as date) - fund.due_on as days
    from guarantee_funds as fund
    inner join registry.institution as office on fund.delivered_by = office.code
    left join registry.institution as bank on fund.bank_code = bank.code
    where
        fund.due_on < :period_end
        and fund.arrived_amount < fund.due_amount
)

select
    short.institution_code,
    short.division_code,
    short.subject,
    case when short.days > 60 then 'high' end as level,
    short.arrived_amount as measure,
    short.due_amount as threshold,
    concat(
        short.bank_name, short.year, '年度', short.kind, '应于',
        to_char(short.due_on, 'FMYYYY"年"FMMM"月"FMDD"日"'), '到位',
        to_char(short.due_amount, 'FM999,999,999,990.00'), '万元，实际到位',
        to_char(short.arrived_amount, 'FM999,999,999,990.00'), '万元，尚缺',
        to_char(short.due_amount - short.arrived_amount, 'FM999,999,999,990.00'), '万元，已逾期',
        short.days, '天。'
    ) as detail
from short
