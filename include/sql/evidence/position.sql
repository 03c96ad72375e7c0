-- Which rows make a figure of the position (docs/figures.md#restatement-and-proof)? One row per bank and county of the
-- position, and for the growth of microcredit one per microcredit loan; amounts in 万元. Microcredit growth is taken
-- over the banks that delivered both reports.
with place as (
    select
        position.*,
        exists(
            select 1
            from present
            where
                present.report = 'loans'
                and present.institution_code = position.delivered_by
        ) as has_loans
    from position
    where
        case :scope
            when 'city' then true
            when 'county' then position.county_code = :code
            when 'bank' then position.delivered_by = :code
        end
)

select
    'position' as report,
    place.submission_id,
    place.row_number,
    case
        when figure.numerator is null then 'denominator' when figure.denominator is null then 'numerator' else 'both'
    end
        as part,
    cast(null as text) as counted,
    figure.numerator,
    figure.denominator,
    cast(null as jsonb) as content
from place
cross join
    lateral (
        values
        ('microcredit_year_begin', place.microcredit_year_begin, null),
        ('microcredit_growth', null, case when place.has_loans then place.microcredit_year_begin end),
        ('all_loans', place.all_loans, null),
        ('all_loans_growth', place.all_loans, place.all_loans_year_begin),
        ('relending', place.relending, null),
        ('relending_extended', place.relending_extended, null)
    ) as figure (metric, numerator, denominator)
where
    figure.metric = :metric
    and (figure.numerator is not null or figure.denominator is not null)
union all
select
    'loans' as report,
    loans.submission_id,
    loans.row_number,
    'numerator' as part,
    null as counted,
    loans.balance * 0.0001 as numerator,
    null as denominator,
    null as content
from loans
inner join present
    on
        loans.delivered_by = present.institution_code
        and present.report = 'position'
where
    :metric = 'microcredit_growth'
    and loans.microcredit
    and case :scope
        when 'city' then true
        when 'county' then left(loans.town_code, 6) = :code
        when 'bank' then loans.delivered_by = :code
    end
