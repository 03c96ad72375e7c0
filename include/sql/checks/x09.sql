-- Which banks' microcredit at the beginning of the year is not the balance of their own December ledger?
-- One row per bank, where that ledger was accepted; in 万元, and 1 万元 of difference is let pass.
--
-- rule: X09
-- level: warning
-- across: reports
-- moment: standing
-- report: position
-- column: microcredit_year_begin
-- links: {position: delivered_by}
-- message: 扶贫小额信贷年初余额各县区合计{value}万元，与本行去年12月台账的余额{expected}万元相差超过1万元，请核对；属实的请在情况说明中说明。
with stated as (
    select
        said.delivered_by as institution_code,
        sum(said.microcredit_year_begin) as amount
    from core.position as said
    where said.period = :period
    group by said.delivered_by
),

december as (
    select
        stated.institution_code,
        lent.amount
    from stated
    inner join intake.standing_report as accepted on stated.institution_code = accepted.institution_code
    cross join
        lateral (
            -- Of the banks that are asked about alone; of a nil return nothing.
            select coalesce(sum(loan.balance) filter (where loan.microcredit), 0) / 10000 as amount
            from core.delivered_loans as loan
            where
                loan.period = :december
                and accepted.submission_id = loan.submission_id
        ) as lent
    where
        accepted.period = :december
        and accepted.report = 'loans'
)

select
    stated.institution_code,
    null::integer as row_number,
    null::text as key,
    stated.amount::text as value,
    round(december.amount, 2)::text as expected
from stated
inner join december on stated.institution_code = december.institution_code
where abs(stated.amount - december.amount) > 1
order by stated.institution_code
