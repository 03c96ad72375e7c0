-- Which projects were offered to each bank, and what did it do with them (docs/figures.md#matching)? Offered = pushed
-- to the bank, or to nobody in a county where it works. One row per bank and project that was offered to it or that it
-- has matched; and, to show why it counts, one per match and per row of the position by which it was offered.
--
-- holds_for: projects
-- bank: bank_code
with library as (
    select
        projects.submission_id,
        projects.row_number,
        projects.project_no,
        projects.pushed_to,
        left(projects.town_code, 6) as county_code
    from projects
    where projects.status <> '退出'
),

works as (
    select distinct
        position.delivered_by as bank_code,
        position.county_code
    from position
),

offered as (
    select
        library.pushed_to as bank_code,
        library.project_no
    from library
    where library.pushed_to is not null
    union all
    select
        works.bank_code,
        library.project_no
    from works
    inner join library on works.county_code = library.county_code
    where library.pushed_to is null
),

answer as (
    select
        coalesce(offered.bank_code, matches.delivered_by) as bank_code,
        coalesce(offered.project_no, matches.project_no) as project_no,
        offered.project_no is not null as offered,
        matches.project_no is not null as answered,
        coalesce(matches.status in ('已授信', '已放款'), false) as matched,
        coalesce(matches.paired, false) as paired
    from offered
    full join matches
        on
            offered.bank_code = matches.delivered_by
            and offered.project_no = matches.project_no
)

select
    'projects' as report,
    library.submission_id,
    library.row_number,
    true as counts,
    cast(null as jsonb) as content,
    answer.bank_code,
    answer.offered,
    answer.offered and answer.answered as answered,
    answer.matched,
    answer.paired
from answer
inner join library on answer.project_no = library.project_no
union all
select
    'matches' as report,
    matches.submission_id,
    matches.row_number,
    false as counts,
    null as content,
    answer.bank_code,
    false as offered,
    answer.offered as answered,
    answer.matched,
    answer.paired
from answer
inner join library on answer.project_no = library.project_no
inner join matches
    on
        answer.bank_code = matches.delivered_by
        and answer.project_no = matches.project_no
union all
select
    'position' as report,
    position.submission_id,
    position.row_number,
    false as counts,
    null as content,
    position.delivered_by as bank_code,
    true as offered,
    false as answered,
    false as matched,
    false as paired
from position
where
    position.county_code in (
        select library.county_code
        from library
        where library.pushed_to is null
    )
