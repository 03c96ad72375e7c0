-- What is in the project library, and which matches of banks take it up (docs/figures.md#matching)?
-- One row per project that was not withdrawn, demand in 万元; and one per match with it, which shows why it counts.
--
-- holds_for: projects
-- county: county_code
with answer as (
    select
        matches.project_no,
        bool_or(matches.status in ('已授信', '已放款')) as matched,
        bool_or(matches.paired) as paired
    from matches
    group by matches.project_no
)

select
    'projects' as report,
    projects.submission_id,
    projects.row_number,
    true as counts,
    cast(null as jsonb) as content,
    left(projects.town_code, 6) as county_code,
    projects.industry,
    projects.status,
    projects.entered_on,
    projects.demand,
    projects.households,
    projects.jobs,
    coalesce(answer.matched, false) as matched,
    coalesce(answer.paired, false) as paired
from projects
left join answer on projects.project_no = answer.project_no
where projects.status <> '退出'
union all
select
    'matches' as report,
    matches.submission_id,
    matches.row_number,
    false as counts,
    null as content,
    left(projects.town_code, 6) as county_code,
    projects.industry,
    projects.status,
    projects.entered_on,
    null as demand,
    null as households,
    null as jobs,
    matches.status in ('已授信', '已放款') as matched,
    matches.paired
from matches
inner join projects on matches.project_no = projects.project_no
where projects.status <> '退出'
