-- Where does the city stand among the cities of its province, by microcredit issued this year
-- (docs/figures.md#funds-and-league)?
-- Two rows, scope city; none where the league was not delivered. The place is NULL where the own city is not in it.
with counted as (
    select
        count(*) as cities,
        max(league.ytd_amount) filter (where league.city_code = :city) as own_amount
    from league
    having count(*) > 0
),

placed as (
    select
        counted.cities,
        case
            when counted.own_amount is not null
                then 1 + (select count(*) from league where league.ytd_amount > counted.own_amount)
        end as place
    from counted
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
