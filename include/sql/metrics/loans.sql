-- What do the precise poverty loans come to, by category, and the microcredit among them (docs/figures.md#loans)?
-- One row per metric and city, county, town or bank; amounts in 万元, rates in percent. Yuan become 万元 by a product: it
-- is exact, where a quotient of long numbers is rounded.
with placed as (
    select
        place.scope,
        place.scope_code,
        loans.*,
        loans.issued_on between :year_begin and :period_end as issued_this_year,
        loans.issued_on between :prior_begin and :prior_end as issued_year_before,
        loans.issued_on between :period_begin and :period_end as issued_this_month
    from loans
    cross join lateral (
        values
        ('city', :city),
        ('county', left(loans.town_code, 6)),
        ('town', loans.town_code),
        ('bank', loans.delivered_by)
    ) as place (scope, scope_code)
),

summed as (
    select
        placed.scope,
        placed.scope_code,
        sum(placed.balance) as balance,
        sum(placed.balance) filter (where placed.category = '产业') as industry,
        sum(placed.balance) filter (where placed.category in ('个人经营', '个人教育', '个人消费')) as personal,
        sum(placed.balance) filter (where placed.category = '个人经营') as operating,
        sum(placed.balance) filter (where placed.category = '个人教育') as education,
        sum(placed.balance) filter (where placed.category = '个人消费') as consumption,
        count(*) filter (where placed.balance > 0) as live,
        sum(placed.principal) filter (
            where
            placed.category = '产业'
            and placed.project_no is not null
            and placed.issued_on >= date '2016-12-01'
        ) as project_principal,
        sum(placed.balance) filter (where placed.overdue_days > 0) as overdue,
        sum(placed.balance) filter (where placed.microcredit) as micro,
        sum(placed.balance) filter (where placed.microcredit and placed.overdue_days > 0) as micro_overdue,
        count(distinct placed.household_no) filter (where placed.microcredit) as micro_households,
        sum(placed.principal) filter (where placed.microcredit) as micro_principal,
        count(distinct placed.household_no) filter (
            where placed.microcredit and placed.issued_this_year
        ) as ytd_households,
        sum(placed.principal) filter (where placed.microcredit and placed.issued_this_year) as ytd_principal,
        count(distinct placed.household_no) filter (
            where placed.microcredit and placed.issued_year_before
        ) as prior_households,
        sum(placed.principal) filter (where placed.microcredit and placed.issued_year_before) as prior_principal,
        count(distinct placed.household_no) filter (
            where placed.microcredit and placed.issued_this_month
        ) as month_households,
        sum(placed.principal) filter (where placed.microcredit and placed.issued_this_month) as month_principal
    from placed
    group by placed.scope, placed.scope_code
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(summed.balance, 0) * 0.0001 as balance,
        coalesce(summed.industry, 0) * 0.0001 as industry,
        coalesce(summed.personal, 0) * 0.0001 as personal,
        coalesce(summed.operating, 0) * 0.0001 as operating,
        coalesce(summed.education, 0) * 0.0001 as education,
        coalesce(summed.consumption, 0) * 0.0001 as consumption,
        coalesce(summed.live, 0) as live,
        coalesce(summed.project_principal, 0) * 0.0001 as project_principal,
        coalesce(summed.overdue, 0) * 0.0001 as overdue,
        coalesce(summed.micro, 0) * 0.0001 as micro,
        coalesce(summed.micro_overdue, 0) * 0.0001 as micro_overdue,
        coalesce(summed.micro_households, 0) as micro_households,
        coalesce(summed.micro_principal, 0) * 0.0001 as micro_principal,
        coalesce(summed.ytd_households, 0) as ytd_households,
        coalesce(summed.ytd_principal, 0) * 0.0001 as ytd_principal,
        coalesce(summed.prior_households, 0) as prior_households,
        coalesce(summed.prior_principal, 0) * 0.0001 as prior_principal,
        coalesce(summed.month_households, 0) as month_households,
        coalesce(summed.month_principal, 0) * 0.0001 as month_principal
    from reported_subject as subject
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    where subject.report = 'loans'
)

select
    counted.scope,
    counted.scope_code,
    figure.metric,
    figure.value,
    figure.numerator,
    figure.denominator
from counted
cross join lateral (
    values
    ('loan_balance', counted.balance, null, null),
    ('loan_balance_industry', counted.industry, null, null),
    ('loan_balance_personal', counted.personal, null, null),
    ('loan_balance_operating', counted.operating, null, null),
    ('loan_balance_education', counted.education, null, null),
    ('loan_balance_consumption', counted.consumption, null, null),
    ('loan_count', counted.live, null, null),
    ('project_loan_cumulative', counted.project_principal, null, null),
    (
        'overdue_ratio',
        counted.overdue / nullif(counted.balance, 0) * 100,
        counted.overdue,
        counted.balance
    ),
    ('microcredit_balance', counted.micro, null, null),
    ('microcredit_cumulative_households', counted.micro_households, null, null),
    ('microcredit_cumulative_amount', counted.micro_principal, null, null),
    ('microcredit_ytd_households', counted.ytd_households, null, null),
    ('microcredit_ytd_amount', counted.ytd_principal, null, null),
    ('microcredit_ytd_households_prior', counted.prior_households, null, null),
    ('microcredit_ytd_amount_prior', counted.prior_principal, null, null),
    (
        'microcredit_ytd_households_yoy',
        (counted.ytd_households / nullif(cast(counted.prior_households as numeric), 0) - 1) * 100,
        counted.ytd_households,
        counted.prior_households
    ),
    (
        'microcredit_ytd_amount_yoy',
        (counted.ytd_principal / nullif(counted.prior_principal, 0) - 1) * 100,
        counted.ytd_principal,
        counted.prior_principal
    ),
    ('microcredit_month_households', counted.month_households, null, null),
    ('microcredit_month_amount', counted.month_principal, null, null),
    (
        'microcredit_overdue_ratio',
        counted.micro_overdue / nullif(counted.micro, 0) * 100,
        counted.micro_overdue,
        counted.micro
    )
) as figure (metric, value, numerator, denominator)
