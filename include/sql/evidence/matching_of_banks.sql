-- Which projects and matches make a figure of one bank's matching (docs/figures.md#restatement-and-proof)?
-- One row per project, per match, and per row of the position by which an unassigned project is offered to the bank.
with library as (
    select
        projects.submission_id,
        projects.row_number,
        projects.project_no,
        left(projects.town_code, 6) as county_code,
        projects.pushed_to is null as is_unassigned,
        exists (
            select 1
            from present
            where
                present.report = 'position'
                and present.institution_code = :code
        )
        and (
            projects.pushed_to = :code
            or (
                projects.pushed_to is null
                and left(projects.town_code, 6) in (
                    select position.county_code
                    from position
                    where position.delivered_by = :code
                )
            )
        ) as offered,
        answer.status,
        answer.paired
    from projects
    left join matches as answer
        on
            projects.project_no = answer.project_no
            and answer.delivered_by = :code
    where
        :scope = 'bank'
        and projects.status <> '退出'
),

chosen as (
    select
        library.*,
        figure.above,
        figure.below
    from library
    cross join
        lateral (
            values
            ('projects_offered', library.offered, false),
            ('projects_answered', library.offered and library.status is not null, false),
            ('projects_matched', library.status in ('已授信', '已放款'), false),
            ('match_rate', library.offered and library.status is not null, library.offered),
            ('projects_paired', library.paired, false)
        ) as figure (metric, above, below)
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
    case when chosen.above then cast(1 as numeric) end as numerator,
    case when chosen.below then cast(1 as numeric) end as denominator,
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
    matches.delivered_by = :code
    and :metric <> 'projects_offered'
    and matches.project_no in (select chosen.project_no from chosen where chosen.above)
union all
select
    'position' as report,
    position.submission_id,
    position.row_number,
    case :metric when 'projects_offered' then 'numerator' else 'denominator' end as part,
    null as counted,
    null as numerator,
    null as denominator,
    null as content
from position
where
    position.delivered_by = :code
    and :metric in ('projects_offered', 'match_rate')
    and position.county_code in (select chosen.county_code from chosen where chosen.is_unassigned)
