-- What is in the project library, and how much of it have banks taken up (docs/figures.md#matching)?
-- One row per metric and city or county of the project; demand in 万元, rates in percent.
with answer as (
    select
        matches.project_no,
        bool_or(matches.status in ('已授信', '已放款')) as matched,
        bool_or(matches.paired) as paired
    from matches
    group by matches.project_no
),

library as (
    select
        place.scope,
        place.scope_code,
        projects.*,
        coalesce(answer.matched, false) as matched,
        coalesce(answer.paired, false) as paired
    from projects
    left join answer on projects.project_no = answer.project_no
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(projects.town_code, 6))
        ) as place (scope, scope_code)
    where projects.status <> '退出'
),

summed as (
    select
        library.scope,
        library.scope_code,
        count(*) as projects,
        sum(library.demand) as demand,
        sum(library.jobs) as jobs,
        count(*) filter (where library.matched) as matched,
        count(*) filter (where library.paired) as paired,
        count(*) filter (
            where
            library.status in ('在库', '实施中')
            and not library.matched
            and :period_end - library.entered_on > 90
        ) as stale
    from library
    group by library.scope, library.scope_code
),

taken_up as (
    select count(*) > 0 as known
    from present
    where present.report = 'matches'
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(summed.projects, 0) as projects,
        coalesce(summed.demand, 0) as demand,
        coalesce(summed.jobs, 0) as jobs,
        case when taken_up.known then coalesce(summed.matched, 0) end as matched,
        case when taken_up.known then coalesce(summed.paired, 0) end as paired,
        case when taken_up.known then coalesce(summed.stale, 0) end as stale
    from reported_subject as subject
    cross join taken_up
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    where
        subject.report = 'projects'
        and subject.scope in ('city', 'county')
)

select
    counted.scope,
    counted.scope_code,
    figure.metric,
    figure.value,
    figure.numerator,
    figure.denominator
from counted
cross join lateral (
    values
    ('project_count', counted.projects, null, null),
    ('project_demand', counted.demand, null, null),
    ('project_jobs', counted.jobs, null, null),
    ('projects_matched', counted.matched, null, null),
    (
        'match_rate',
        counted.matched / nullif(cast(counted.projects as numeric), 0) * 100,
        counted.matched,
        counted.projects
    ),
    ('projects_paired', counted.paired, null, null),
    ('projects_stale', counted.stale, null, null)
) as figure (metric, value, numerator, denominator)
