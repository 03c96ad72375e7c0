-- Where does the city stand among the cities of its province, by microcredit issued this year (spec/04, Funds and
-- league)?
-- Two rows, scope city; none where the league was not delivered.
with placed as (
    select
        league.city_code,
        rank() over (order by league.ytd_amount desc) as place,
        count(*) over () as cities
    from league
)

select
    'city' as scope,
    :city as scope_code,
    figure.metric,
    figure.value,
    cast(null as numeric) as numerator,
    cast(null as numeric) as denominator
from placed
cross join
    lateral (
        values
        ('province_rank', placed.place),
        ('province_cities', placed.cities)
    ) as figure (metric, value)
where placed.city_code = :city
