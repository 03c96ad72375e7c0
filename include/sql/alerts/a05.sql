-- Which microcredit still owed was not lent for production? One row per contract; the measure is its balance in yuan.
--
-- rule: A05
-- aspect: 贷款质量和用途真实性
-- level: medium
-- needs: {loans: own}
-- metric: microcredit_balance
select
    loans.delivered_by as institution_code,
    loans.town_code as division_code,
    loans.contract_no as subject,
    array[loans.contract_no] as contract_nos,
    loans.balance as measure,
    cast(null as numeric) as threshold,
    concat(
        '合同', loans.contract_no, '为扶贫小额信贷，资金用途为“', loans.purpose, '”，不属于生产经营；余额',
        to_char(round(loans.balance / 10000, 2), 'FM999,999,999,990.00'), '万元。'
    ) as detail
from loans
where
    loans.microcredit
    and loans.balance > 0
    and loans.purpose in ('教育', '消费', '建房', '其他')
