-- Which loans make a figure of the ledgers (docs/figures.md#restatement-and-proof)? One row per loan; amounts in 万元.
with placed as (
    select
        loans.*,
        loans.issued_on between :year_begin and :period_end as issued_this_year,
        loans.issued_on between :prior_begin and :prior_end as issued_year_before,
        loans.issued_on between :period_begin and :period_end as issued_this_month
    from loans
    where
        case :scope
            when 'city' then true
            when 'county' then left(loans.town_code, 6) = :code
            when 'town' then loans.town_code = :code
            when 'bank' then loans.delivered_by = :code
        end
),

-- What the loan adds to numerator and denominator; a household is counted, not added.
chosen as (
    select
        placed.submission_id,
        placed.row_number,
        figure.above,
        figure.below,
        figure.amount * 0.0001 as amount,
        figure.household_no
    from placed
    cross join
        lateral (
            values
            ('loan_balance', true, false, placed.balance, null),
            ('loan_balance_industry', placed.category = '产业', false, placed.balance, null),
            (
                'loan_balance_personal',
                placed.category in ('个人经营', '个人教育', '个人消费'),
                false,
                placed.balance,
                null
            ),
            ('loan_balance_operating', placed.category = '个人经营', false, placed.balance, null),
            ('loan_balance_education', placed.category = '个人教育', false, placed.balance, null),
            ('loan_balance_consumption', placed.category = '个人消费', false, placed.balance, null),
            ('loan_count', placed.balance > 0, false, 10000, null),
            (
                'project_loan_cumulative',
                placed.category = '产业' and placed.project_no is not null and placed.issued_on >= date '2016-12-01',
                false,
                placed.principal,
                null
            ),
            ('overdue_ratio', placed.overdue_days > 0, true, placed.balance, null),
            ('microcredit_balance', placed.microcredit, false, placed.balance, null),
            ('microcredit_cumulative_households', placed.microcredit, false, null, placed.household_no),
            ('microcredit_cumulative_amount', placed.microcredit, false, placed.principal, null),
            (
                'microcredit_ytd_households',
                placed.microcredit and placed.issued_this_year,
                false,
                null,
                placed.household_no
            ),
            ('microcredit_ytd_amount', placed.microcredit and placed.issued_this_year, false, placed.principal, null),
            (
                'microcredit_ytd_households_prior',
                placed.microcredit and placed.issued_year_before,
                false,
                null,
                placed.household_no
            ),
            (
                'microcredit_ytd_amount_prior',
                placed.microcredit and placed.issued_year_before,
                false,
                placed.principal,
                null
            ),
            (
                'microcredit_ytd_households_yoy',
                placed.microcredit and placed.issued_this_year,
                placed.microcredit and placed.issued_year_before,
                null,
                placed.household_no
            ),
            (
                'microcredit_ytd_amount_yoy',
                placed.microcredit and placed.issued_this_year,
                placed.microcredit and placed.issued_year_before,
                placed.principal,
                null
            ),
            (
                'microcredit_month_households',
                placed.microcredit and placed.issued_this_month,
                false,
                null,
                placed.household_no
            ),
            (
                'microcredit_month_amount',
                placed.microcredit and placed.issued_this_month,
                false,
                placed.principal,
                null
            ),
            (
                'microcredit_overdue_ratio',
                placed.microcredit and placed.overdue_days > 0,
                placed.microcredit,
                placed.balance,
                null
            )
        ) as figure (metric, above, below, amount, household_no)
    where
        figure.metric = :metric
        and (figure.above or figure.below)
)

select
    'loans' as report,
    chosen.submission_id,
    chosen.row_number,
    case when not chosen.below then 'numerator' when not chosen.above then 'denominator' else 'both' end as part,
    chosen.household_no as counted,
    case when chosen.above then chosen.amount end as numerator,
    case when chosen.below then chosen.amount end as denominator,
    cast(null as jsonb) as content
from chosen
