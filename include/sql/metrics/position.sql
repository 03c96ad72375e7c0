-- How do all loans and microcredit grow since the year began, and what relending is used (docs/figures.md#position)?
-- One row per metric and city, county or bank; amounts in 万元, growth in percent. Microcredit growth is a ratio of
-- two reports: it is taken over the banks that delivered both.
with compared as (
    select present.institution_code
    from present
    inner join present as ledger
        on
            present.institution_code = ledger.institution_code
            and ledger.report = 'loans'
    where present.report = 'position'
),

placed as (
    select
        place.scope,
        place.scope_code,
        position.*,
        position.delivered_by in (select compared.institution_code from compared) as has_loans
    from position
    cross join lateral (
        values
        ('city', :city),
        ('county', position.county_code),
        ('bank', position.delivered_by)
    ) as place (scope, scope_code)
),

summed as (
    select
        placed.scope,
        placed.scope_code,
        sum(placed.all_loans) as all_loans,
        sum(placed.all_loans_year_begin) as all_loans_year_begin,
        sum(placed.microcredit_year_begin) as microcredit_year_begin,
        sum(placed.microcredit_year_begin) filter (where placed.has_loans) as compared_year_begin,
        sum(placed.relending) as relending,
        sum(placed.relending_extended) as relending_extended
    from placed
    group by placed.scope, placed.scope_code
),

lent as (
    select
        loans.delivered_by,
        loans.town_code,
        sum(loans.balance) as balance
    from loans
    where loans.microcredit
    group by loans.delivered_by, loans.town_code
),

microcredit as (
    select
        place.scope,
        place.scope_code,
        sum(lent.balance) * 0.0001 as balance
    from lent
    inner join present
        on
            lent.delivered_by = present.institution_code
            and present.report = 'position'
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(lent.town_code, 6)),
            ('bank', lent.delivered_by)
        ) as place (scope, scope_code)
    group by place.scope, place.scope_code
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(summed.all_loans, 0) as all_loans,
        coalesce(summed.all_loans_year_begin, 0) as all_loans_year_begin,
        coalesce(summed.microcredit_year_begin, 0) as microcredit_year_begin,
        coalesce(summed.compared_year_begin, 0) as compared_year_begin,
        coalesce(summed.relending, 0) as relending,
        coalesce(summed.relending_extended, 0) as relending_extended,
        coalesce(microcredit.balance, 0) as microcredit_balance,
        case
            when subject.scope = 'bank'
                then subject.scope_code in (select compared.institution_code from compared)
            else exists (select 1 from compared)
        end as has_both
    from reported_subject as subject
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    left join microcredit
        on
            subject.scope = microcredit.scope
            and subject.scope_code = microcredit.scope_code
    where
        subject.report = 'position'
        and subject.scope <> 'town'
)

select
    counted.scope,
    counted.scope_code,
    figure.metric,
    figure.value,
    figure.numerator,
    figure.denominator
from counted
cross join
    lateral (
        values
        ('microcredit_year_begin', counted.microcredit_year_begin, null, null),
        (
            'microcredit_growth',
            case
                when counted.has_both
                    then (counted.microcredit_balance / nullif(counted.compared_year_begin, 0) - 1) * 100
            end,
            case when counted.has_both then counted.microcredit_balance end,
            case when counted.has_both then counted.compared_year_begin end
        ),
        ('all_loans', counted.all_loans, null, null),
        (
            'all_loans_growth',
            (counted.all_loans / nullif(counted.all_loans_year_begin, 0) - 1) * 100,
            counted.all_loans,
            counted.all_loans_year_begin
        ),
        ('relending', counted.relending, null, null),
        ('relending_extended', counted.relending_extended, null, null)
    ) as figure (metric, value, numerator, denominator)
where counted.scope <> 'county' or figure.metric not in ('relending', 'relending_extended')
