-- Which microcredit was issued before its household was visited for the first time? One row per contract, settled or
-- not, issued in or after the first period on record for which visits were owed; the measure is the days until that
-- visit, or until the end.
-- A missing report of visits may hold an earlier visit of its own month: that month's loans wait for all of them.
--
-- rule: A09
-- aspect: 小额信贷管理
-- level: low
-- needs: {loans: own}
-- metric: microcredit_cumulative_households
with record as (
    select to_date(min(close.period), 'YYYY-MM') as begins_on
    from intake.close
    inner join registry.expected_report on close.period = expected_report.period
    where expected_report.report = 'visits'
)

select
    loans.delivered_by as institution_code,
    loans.town_code as division_code,
    loans.contract_no as subject,
    array[loans.contract_no] as contract_nos,
    coalesce(visited.first_visited_on, cast(:period_end as date)) - loans.issued_on as measure,
    cast(null as numeric) as threshold,
    concat(
        '合同', loans.contract_no, '于', to_char(loans.issued_on, 'FMYYYY"年"FMMM"月"FMDD"日"'),
        '发放扶贫小额信贷', to_char(round(loans.principal / 10000, 2), 'FM999,999,999,990.00'), '万元，',
        case
            when visited.first_visited_on is null
                then concat('截至', to_char(cast(:period_end as date), 'FMYYYY"年"FMMM"月"FMDD"日"'), '该户尚未走访')
            else concat('该户', to_char(visited.first_visited_on, 'FMYYYY"年"FMMM"月"FMDD"日"'), '才首次走访')
        end,
        '。'
    ) as detail
from loans
inner join record on loans.issued_on >= record.begins_on
left join visited_household as visited on loans.household_no = visited.household_no
where
    loans.microcredit
    and (visited.first_visited_on is null or loans.issued_on < visited.first_visited_on)
    and (
        loans.issued_on < :period_begin
        or not exists (select 1 from missing_report where missing_report.report = 'visits')
    )
