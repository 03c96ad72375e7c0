-- What do the precise poverty loans come to, by category, and the microcredit among them (docs/figures.md#loans)?
-- One row per metric and city, county, town or bank; amounts in 万元, rates in percent. Yuan become 万元 by a product: it
-- is exact, where a quotient of long numbers is rounded.
with ledger as not materialized (
    select
        loans.*,
        loans.issued_on between :year_begin and :period_end as issued_this_year,
        loans.issued_on between :prior_begin and :prior_end as issued_year_before,
        loans.issued_on between :period_begin and :period_end as issued_this_month
    from loans
),

-- One pass gives the amounts of each town and of each bank; those of towns add up to the counties' and the city's.
lent as (
    select
        ledger.delivered_by,
        ledger.town_code,
        sum(ledger.balance) as balance,
        sum(ledger.balance) filter (where ledger.category = '产业') as industry,
        sum(ledger.balance) filter (where ledger.category in ('个人经营', '个人教育', '个人消费')) as personal,
        sum(ledger.balance) filter (where ledger.category = '个人经营') as operating,
        sum(ledger.balance) filter (where ledger.category = '个人教育') as education,
        sum(ledger.balance) filter (where ledger.category = '个人消费') as consumption,
        count(*) filter (where ledger.balance > 0) as live,
        sum(ledger.principal) filter (
            where
            ledger.category = '产业'
            and ledger.project_no is not null
            and ledger.issued_on >= date '2016-12-01'
        ) as project_principal,
        sum(ledger.balance) filter (where ledger.overdue_days > 0) as overdue,
        sum(ledger.balance) filter (where ledger.microcredit) as micro,
        sum(ledger.balance) filter (where ledger.microcredit and ledger.overdue_days > 0) as micro_overdue,
        sum(ledger.principal) filter (where ledger.microcredit) as micro_principal,
        sum(ledger.principal) filter (where ledger.microcredit and ledger.issued_this_year) as ytd_principal,
        sum(ledger.principal) filter (where ledger.microcredit and ledger.issued_year_before) as prior_principal,
        sum(ledger.principal) filter (where ledger.microcredit and ledger.issued_this_month) as month_principal
    from ledger
    group by grouping sets ((ledger.delivered_by), (ledger.town_code))
),

summed as (
    select
        place.scope,
        place.scope_code,
        sum(lent.balance) as balance,
        sum(lent.industry) as industry,
        sum(lent.personal) as personal,
        sum(lent.operating) as operating,
        sum(lent.education) as education,
        sum(lent.consumption) as consumption,
        sum(lent.live) as live,
        sum(lent.project_principal) as project_principal,
        sum(lent.overdue) as overdue,
        sum(lent.micro) as micro,
        sum(lent.micro_overdue) as micro_overdue,
        sum(lent.micro_principal) as micro_principal,
        sum(lent.ytd_principal) as ytd_principal,
        sum(lent.prior_principal) as prior_principal,
        sum(lent.month_principal) as month_principal
    from lent
    cross join
        lateral (
            values
            ('city', case when lent.delivered_by is null then :city end),
            ('county', left(lent.town_code, 6)),
            ('town', lent.town_code),
            ('bank', lent.delivered_by)
        ) as place (scope, scope_code)
    where place.scope_code is not null
    group by place.scope, place.scope_code
),

-- Households count once in each place: each step groups what the one before has left, and nothing is sorted.
household as (
    select
        ledger.delivered_by,
        ledger.town_code,
        ledger.household_no,
        bool_or(ledger.issued_this_year) as this_year,
        bool_or(ledger.issued_year_before) as year_before,
        bool_or(ledger.issued_this_month) as this_month
    from ledger
    where
        ledger.microcredit
        and ledger.household_no is not null
    group by grouping sets ((ledger.delivered_by, ledger.household_no), (ledger.town_code, ledger.household_no))
),

household_of_county as (
    select
        left(household.town_code, 6) as county_code,
        household.household_no,
        bool_or(household.this_year) as this_year,
        bool_or(household.year_before) as year_before,
        bool_or(household.this_month) as this_month
    from household
    where household.town_code is not null
    group by left(household.town_code, 6), household.household_no
),

household_of_city as (
    select
        household_of_county.household_no,
        bool_or(household_of_county.this_year) as this_year,
        bool_or(household_of_county.year_before) as year_before,
        bool_or(household_of_county.this_month) as this_month
    from household_of_county
    group by household_of_county.household_no
),

reached as (
    select
        'city' as scope,
        :city as scope_code,
        count(*) as households,
        count(*) filter (where household_of_city.this_year) as ytd_households,
        count(*) filter (where household_of_city.year_before) as prior_households,
        count(*) filter (where household_of_city.this_month) as month_households
    from household_of_city
    union all
    select
        'county' as scope,
        household_of_county.county_code as scope_code,
        count(*) as households,
        count(*) filter (where household_of_county.this_year) as ytd_households,
        count(*) filter (where household_of_county.year_before) as prior_households,
        count(*) filter (where household_of_county.this_month) as month_households
    from household_of_county
    group by household_of_county.county_code
    union all
    select
        case when household.town_code is null then 'bank' else 'town' end as scope,
        coalesce(household.town_code, household.delivered_by) as scope_code,
        count(*) as households,
        count(*) filter (where household.this_year) as ytd_households,
        count(*) filter (where household.year_before) as prior_households,
        count(*) filter (where household.this_month) as month_households
    from household
    group by household.town_code, household.delivered_by
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
        coalesce(reached.households, 0) as micro_households,
        coalesce(summed.micro_principal, 0) * 0.0001 as micro_principal,
        coalesce(reached.ytd_households, 0) as ytd_households,
        coalesce(summed.ytd_principal, 0) * 0.0001 as ytd_principal,
        coalesce(reached.prior_households, 0) as prior_households,
        coalesce(summed.prior_principal, 0) * 0.0001 as prior_principal,
        coalesce(reached.month_households, 0) as month_households,
        coalesce(summed.month_principal, 0) * 0.0001 as month_principal
    from reported_subject as subject
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    left join reached
        on
            subject.scope = reached.scope
            and subject.scope_code = reached.scope_code
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
