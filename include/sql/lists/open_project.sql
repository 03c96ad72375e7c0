-- Which projects in the library or under way have no match 已授信 or 已放款 (docs/figures.md#lists-for-banks)?
-- One row per county and project; none while no bank's matches are in.
with library as (
    -- A project's number is unique within an office only.
    select distinct on (left(projects.town_code, 6), projects.project_no)
        projects.*,
        left(projects.town_code, 6) as county_code
    from projects
    order by left(projects.town_code, 6), projects.project_no, projects.delivered_by
)

insert into mart.open_project
select
    :run_id as run_id,
    :period as period,
    library.county_code,
    library.project_no,
    library.name,
    library.town_code,
    library.industry,
    library.operator,
    library.demand,
    library.households,
    library.jobs,
    library.entered_on,
    library.pushed_to
from library
where
    library.status in ('在库', '实施中')
    and exists (select 1 from present where present.report = 'matches')
    and not exists (
        select 1
        from matches
        where
            matches.project_no = library.project_no
            and matches.status in ('已授信', '已放款')
    )
order by library.county_code, library.project_no
