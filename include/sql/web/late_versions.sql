-- Which accepted versions came after a month was closed, and are not in the run that stands? One row per assessed month
-- and institution.
select
    run.period,
    late.institution_code,
    institution.short_name,
    count(distinct report.report) as reports,
    min(late.received_at) as received_at,
    max(late.recorded_at) as recorded_at
from mart.current_run as run
inner join intake.close as closed on run.period = closed.period
inner join
    intake.submission as late
    on
        run.period = late.period
        and closed.closed_at < late.recorded_at
inner join
    intake.report
    on
        late.submission_id = report.submission_id
        and report.verdict in ('accepted', 'nil')
inner join registry.institution on late.institution_code = institution.code
where
    not exists (
        select 1
        from mart.run_input as used
        inner join intake.submission as used_version on used.submission_id = used_version.submission_id
        where
            used.run_id = run.run_id
            and used.period = run.period
            and used.institution_code = late.institution_code
            and used.report = report.report
            and used_version.version >= late.version
    )
group by run.period, late.institution_code, institution.short_name
order by run.period, late.institution_code
