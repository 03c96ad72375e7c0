-- Which later months stand on an older run of the month? One row per later month that was assessed before this run was
-- made. It says whether that month used versions that this run does not use, or lacks one that it does.
with flow as (
    select
        named.report,
        named.submission_id
    from mart.run_input as named
    where
        named.run_id = :run_id
        and named.period = :period
        and named.report = any(:flows)
)

select
    run.run_id,
    run.period,
    exists (
        select 1
        from flow
        where not exists (
            select 1
            from mart.run_input as used
            where
                used.run_id = run.run_id
                and used.period = :period
                and used.submission_id = flow.submission_id
                and used.report = flow.report
        )
    )
    or exists (
        select 1
        from mart.run_input as used
        where
            used.run_id = run.run_id
            and used.period = :period
            and not exists (
                select 1
                from flow
                where
                    flow.submission_id = used.submission_id
                    and flow.report = used.report
            )
    ) as used_old_versions
from mart.run
inner join mart.run as restated on run.closed_at < restated.closed_at
where
    run.current
    and run.period > :period
    and restated.run_id = :run_id
order by run.period
