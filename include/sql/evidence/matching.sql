-- Which projects and matches make a figure of the library, in the city or a county
-- (docs/figures.md#restatement-and-proof)? One row per project, and one per match that makes a project count; demand
-- in 万元.
with library as (
    select
        projects.*,
        exists(
            select 1
            from matches
            where
                matches.project_no = projects.project_no
                and matches.status in ('已授信', '已放款')
        ) as matched,
        exists(
            select 1
            from matches
            where
                matches.project_no = projects.project_no
                and matches.paired
        ) as paired
    from projects
    where
        projects.status <> '退出'
        and (:scope = 'city' or (:scope = 'county' and left(projects.town_code, 6) = :code))
),

chosen as (
    select
        library.submission_id,
        library.row_number,
        figure.above,
        figure.below,
        figure.amount
    from library
    cross join
        lateral (
            values
            ('project_count', true, false, 1),
            ('project_demand', true, false, library.demand),
            ('project_jobs', true, false, library.jobs),
            ('projects_matched', library.matched, false, 1),
            ('match_rate', library.matched, true, 1),
            ('projects_paired', library.paired, false, 1),
            (
                'projects_stale',
                library.status in ('在库', '实施中')
                and not library.matched
                and :period_end - library.entered_on > 90,
                false,
                1
            )
        ) as figure (metric, above, below, amount)
    where
        figure.metric = :metric
        and (figure.above or figure.below)
)

select
    'projects' as report,
    chosen.submission_id,
    chosen.row_number,
    case when not chosen.below then 'numerator' when not chosen.above then 'denominator' else 'both' end as part,
    cast(null as text) as counted,
    case when chosen.above then chosen.amount end as numerator,
    case when chosen.below then chosen.amount end as denominator,
    cast(null as jsonb) as content
from chosen
union all
select
    'matches' as report,
    matches.submission_id,
    matches.row_number,
    'numerator' as part,
    null as counted,
    null as numerator,
    null as denominator,
    null as content
from matches
where
    matches.project_no in (select library.project_no from library)
    and case
        when :metric in ('projects_matched', 'match_rate') then matches.status in ('已授信', '已放款')
        when :metric = 'projects_paired' then matches.paired
    end
