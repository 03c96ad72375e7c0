-- Which cities make the own city's place (docs/figures.md#restatement-and-proof)? One row per city of the league; for
-- the place those with more microcredit this year, and the own city: counted, they are the place.
select
    'league' as report,
    league.submission_id,
    league.row_number,
    'numerator' as part,
    league.city_code as counted,
    cast(null as numeric) as numerator,
    cast(null as numeric) as denominator,
    cast(null as jsonb) as content
from league
where
    case :metric
        when 'province_cities' then true
        when 'province_rank'
            then
                league.city_code = :code
                or league.ytd_amount > (
                    select own.ytd_amount
                    from league as own
                    where own.city_code = :code
                )
    end
