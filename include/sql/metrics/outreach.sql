-- How far has outreach come since the first period on record, and which towns did it reach this quarter
-- (docs/figures.md#outreach)? One row per metric and city, county, town, or bank that delivered it. Where a month is
-- missing, only the month's own figure has no value: of a bank its report, of a county and its towns that of the
-- county office.
with held as (
    select
        outreach.delivered_by,
        outreach.town_code,
        sum(outreach.cadres) as cadres,
        sum(outreach.attendees) as attendees,
        sum(outreach.leaflets) as leaflets,
        bool_or(outreach.held_on between :quarter_begin and :period_end) as in_quarter,
        count(*) filter (where outreach.period = :period) as activities
    from outreach
    group by outreach.delivered_by, outreach.town_code
),

summed as (
    select
        place.scope,
        place.scope_code,
        sum(held.cadres) as cadres,
        sum(held.attendees) as attendees,
        sum(held.leaflets) as leaflets,
        count(distinct held.town_code) filter (where held.in_quarter) as towns,
        sum(held.activities) as activities
    from held
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(held.town_code, 6)),
            ('town', held.town_code),
            ('bank', held.delivered_by)
        ) as place (scope, scope_code)
    group by place.scope, place.scope_code
),

town_team as (
    select distinct on (outreach.town_code)
        outreach.town_code,
        outreach.team_size
    from outreach
    inner join known_institution as office on outreach.delivered_by = office.code
    where
        office.kind = 'county_office'
        and outreach.team_size is not null
    order by outreach.town_code asc, outreach.held_on desc, outreach.team_size desc
),

team as (
    select
        place.scope,
        place.scope_code,
        sum(town_team.team_size) as team_size
    from town_team
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(town_team.town_code, 6)),
            ('town', town_team.town_code)
        ) as place (scope, scope_code)
    group by place.scope, place.scope_code
),

place_of_towns as (
    select
        place.scope,
        place.scope_code,
        count(*) as towns
    from subject as town
    cross join
        lateral (
            values
            ('city', :city),
            ('county', town.county_code)
        ) as place (scope, scope_code)
    where town.scope = 'town'
    group by place.scope, place.scope_code
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(summed.cadres, 0) as cadres,
        coalesce(summed.attendees, 0) as attendees,
        coalesce(summed.leaflets, 0) as leaflets,
        coalesce(team.team_size, 0) as team_size,
        coalesce(summed.towns, 0) as towns,
        coalesce(place_of_towns.towns, 0) as all_towns,
        case when reported.report is not null then coalesce(summed.activities, 0) end as activities
    from subject
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    left join team
        on
            subject.scope = team.scope
            and subject.scope_code = team.scope_code
    left join place_of_towns
        on
            subject.scope = place_of_towns.scope
            and subject.scope_code = place_of_towns.scope_code
    left join reported_subject as reported
        on
            subject.scope = reported.scope
            and subject.scope_code = reported.scope_code
            and reported.report = 'outreach'
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
        ('cadres_trained_cumulative', counted.cadres, null, null),
        ('attendees_cumulative', counted.attendees, null, null),
        ('leaflets_cumulative', counted.leaflets, null, null),
        ('outreach_team', counted.team_size, null, null),
        ('outreach_towns_quarter', counted.towns, null, null),
        (
            'outreach_town_coverage',
            counted.towns / nullif(cast(counted.all_towns as numeric), 0) * 100,
            counted.towns,
            counted.all_towns
        ),
        ('activities_month', counted.activities, null, null)
    ) as figure (metric, value, numerator, denominator)
where
    (figure.metric <> 'outreach_team' or counted.scope <> 'bank')
    and (
        figure.metric not in ('outreach_towns_quarter', 'outreach_town_coverage')
        or counted.scope in ('city', 'county')
    )
