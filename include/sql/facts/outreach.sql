-- Which activities of outreach are on record, and which towns are there to be reached (docs/figures.md#outreach)?
-- One row per activity, and one per town of the register. Of a town's standing team the latest word of a county office
-- counts; of rows that say the same of the same day the one that comes first stands for all.
--
-- holds_for: every
-- town: town_code
-- bank: delivered_by
with town_team as (
    select distinct on (outreach.town_code)
        outreach.submission_id,
        outreach.row_number
    from outreach
    inner join known_institution as office on outreach.delivered_by = office.code
    where
        office.kind = 'county_office'
        and outreach.team_size is not null
    order by
        outreach.town_code asc,
        outreach.held_on desc,
        outreach.team_size desc,
        outreach.submission_id asc,
        outreach.row_number asc
)

select
    'outreach' as report,
    outreach.submission_id,
    outreach.row_number,
    true as counts,
    cast(null as jsonb) as content,
    outreach.town_code,
    outreach.delivered_by,
    outreach.kind,
    outreach.cadres,
    outreach.attendees,
    outreach.leaflets,
    outreach.team_size,
    town_team.row_number is not null as is_team,
    outreach.held_on between :quarter_begin and :period_end as in_quarter,
    outreach.period = :period as in_month,
    false as is_town
from outreach
left join town_team
    on
        outreach.submission_id = town_team.submission_id
        and outreach.row_number = town_team.row_number
union all
select
    'register' as report,
    null as submission_id,
    null as row_number,
    true as counts,
    jsonb_build_object('乡镇代码', town.scope_code, '乡镇', town.subject_name) as content,
    town.scope_code as town_code,
    null as delivered_by,
    null as kind,
    null as cadres,
    null as attendees,
    null as leaflets,
    null as team_size,
    false as is_team,
    false as in_quarter,
    false as in_month,
    true as is_town
from subject as town
where town.scope = 'town'
