-- Which visits make a figure of the month (docs/figures.md#restatement-and-proof)? One row per visit.
select
    'visits' as report,
    visits.submission_id,
    visits.row_number,
    'numerator' as part,
    cast(null as text) as counted,
    cast(1 as numeric) as numerator,
    cast(null as numeric) as denominator,
    cast(null as jsonb) as content
from visits
left join households on visits.household_no = households.household_no
where
    visits.period = :period
    and case :metric
        when 'visits_made_month' then visits.delivered_by = :code
        when 'visits_month'
            then
                case :scope
                    when 'city' then true
                    when 'county' then left(households.town_code, 6) = :code
                    when 'town' then households.town_code = :code
                    when 'bank' then households.bank_code = :code
                end
    end
