-- Which projects were offered to each bank, and what did it do with them (docs/figures.md#matching)?
-- One row per metric and bank; rates in percent. Offered = pushed to the bank, or to nobody in a county where it works.
with library as (
    select
        projects.project_no,
        projects.pushed_to,
        left(projects.town_code, 6) as county_code
    from projects
    where projects.status <> '退出'
),

bank as (
    select
        subject.scope_code as code,
        exists(
            select 1
            from present
            where
                present.report = 'position'
                and present.institution_code = subject.scope_code
        ) as has_position,
        exists(
            select 1
            from present
            where
                present.report = 'matches'
                and present.institution_code = subject.scope_code
        ) as has_matches
    from reported_subject as subject
    where
        subject.report = 'projects'
        and subject.scope = 'bank'
),

works as (
    select distinct
        position.delivered_by as code,
        position.county_code
    from position
),

offered as (
    select
        bank.code,
        library.project_no
    from bank
    inner join library on bank.code = library.pushed_to
    union all
    select
        bank.code,
        library.project_no
    from bank
    inner join works on bank.code = works.code
    inner join library on works.county_code = library.county_code
    where library.pushed_to is null
),

said as (
    select distinct
        matches.delivered_by as code,
        matches.project_no
    from matches
),

answer as (
    select
        offered.code,
        count(*) as offered,
        count(said.code) as answered
    from offered
    left join said
        on
            offered.code = said.code
            and offered.project_no = said.project_no
    group by offered.code
),

taken as (
    select
        matches.delivered_by as code,
        count(*) filter (where matches.status in ('已授信', '已放款')) as matched,
        count(*) filter (where matches.paired) as paired
    from matches
    inner join library on matches.project_no = library.project_no
    group by matches.delivered_by
),

counted as (
    select
        bank.code,
        case when bank.has_position then coalesce(answer.offered, 0) end as offered,
        case when bank.has_position and bank.has_matches then coalesce(answer.answered, 0) end as answered,
        case when bank.has_matches then coalesce(taken.matched, 0) end as matched,
        case when bank.has_matches then coalesce(taken.paired, 0) end as paired
    from bank
    left join answer on bank.code = answer.code
    left join taken on bank.code = taken.code
)

select
    'bank' as scope,
    counted.code as scope_code,
    figure.metric,
    figure.value,
    figure.numerator,
    figure.denominator
from counted
cross join lateral (
    values
    ('projects_offered', counted.offered, null, null),
    ('projects_answered', counted.answered, null, null),
    ('projects_matched', counted.matched, null, null),
    (
        'match_rate',
        counted.answered / nullif(cast(counted.offered as numeric), 0) * 100,
        counted.answered,
        counted.offered
    ),
    ('projects_paired', counted.paired, null, null)
) as figure (metric, value, numerator, denominator)
