-- Which accepted versions came after a month was closed, and are not in the run that stands? One row per assessed month
-- and institution.
with late as materialized (
    select
        run.run_id,
        submission.submission_id,
        submission.period,
        submission.institution_code,
        submission.version,
        submission.received_at,
        submission.recorded_at
    from mart.current_run as run
    inner join intake.close as closed on run.period = closed.period
    inner join
        intake.submission
        on
            run.period = submission.period
            and closed.closed_at < submission.recorded_at
)

select
    late.period,
    late.institution_code,
    institution.short_name,
    count(distinct report.report) as reports,
    min(late.received_at) as received_at,
    max(late.recorded_at) as recorded_at
from late
inner join
    intake.report
    on
        late.submission_id = report.submission_id
        and report.verdict in ('accepted', 'nil')
inner join registry.institution on late.institution_code = institution.code
where
    -- One look by key for each late report: there are few.
    late.version > coalesce(
        (
            select used_version.version
            from mart.run_input as used
            inner join intake.submission as used_version on used.submission_id = used_version.submission_id
            where
                used.run_id = late.run_id
                and used.period = late.period
                and used.institution_code = late.institution_code
                and used.report = report.report
        ), 0
    )
group by late.period, late.institution_code, institution.short_name
order by late.period, late.institution_code
