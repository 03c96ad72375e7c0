-- Which later months stand on the run that was replaced? One row per later month that has been assessed, and whether
-- it used versions of the restated month that the new run does not use, or lacks one that it does.
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
where
    run.current
    and run.period > :period
order by run.period
