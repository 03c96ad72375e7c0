-- Which activities make a figure of outreach (docs/figures.md#restatement-and-proof)? One row per activity, and for the
-- coverage one per town of the register; towns are counted once.
with placed as (
    select outreach.*
    from outreach
    where
        case :scope
            when 'city' then true
            when 'county' then left(outreach.town_code, 6) = :code
            when 'town' then outreach.town_code = :code
            when 'bank' then outreach.delivered_by = :code
        end
),

-- Of rows that say the same of the same day the one that comes first stands for all.
town_team as (
    select distinct on (placed.town_code)
        placed.submission_id,
        placed.row_number
    from placed
    inner join known_institution as office on placed.delivered_by = office.code
    where
        office.kind = 'county_office'
        and placed.team_size is not null
    order by
        placed.town_code asc,
        placed.held_on desc,
        placed.team_size desc,
        placed.submission_id asc,
        placed.row_number asc
),

chosen as (
    select
        placed.submission_id,
        placed.row_number,
        figure.amount,
        figure.town_code
    from placed
    left join town_team
        on
            placed.submission_id = town_team.submission_id
            and placed.row_number = town_team.row_number
    cross join
        lateral (
            values
            ('cadres_trained_cumulative', true, placed.cadres, null),
            ('attendees_cumulative', true, placed.attendees, null),
            ('leaflets_cumulative', true, placed.leaflets, null),
            ('outreach_team', town_team.submission_id is not null, placed.team_size, null),
            ('outreach_towns_quarter', placed.held_on between :quarter_begin and :period_end, null, placed.town_code),
            ('outreach_town_coverage', placed.held_on between :quarter_begin and :period_end, null, placed.town_code),
            ('activities_month', placed.period = :period, 1, null)
        ) as figure (metric, above, amount, town_code)
    where
        figure.metric = :metric
        and figure.above
)

select
    'outreach' as report,
    chosen.submission_id,
    chosen.row_number,
    'numerator' as part,
    chosen.town_code as counted,
    cast(chosen.amount as numeric) as numerator,
    cast(null as numeric) as denominator,
    cast(null as jsonb) as content
from chosen
union all
select
    'register' as report,
    null as submission_id,
    null as row_number,
    'denominator' as part,
    town.scope_code as counted,
    null as numerator,
    null as denominator,
    jsonb_build_object('乡镇代码', town.scope_code, '乡镇', town.subject_name) as content
from subject as town
where
    :metric = 'outreach_town_coverage'
    and town.scope = 'town'
    and (:scope = 'city' or town.county_code = :code)
