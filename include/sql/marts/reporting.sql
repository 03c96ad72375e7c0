-- What became of every report owed for the period (spec/03, Its life; spec/04, Reporting)?
-- One row per open institution and report that its kind owes. What was recorded after the close does not count,
-- unless the run names it.
with judged as (
    select
        submission.institution_code,
        report.report,
        submission.submission_id,
        submission.version,
        submission.received_at,
        report.verdict in ('accepted', 'nil') as received,
        report.verdict,
        report.errors,
        report.warnings
    from intake.report
    inner join intake.submission on report.submission_id = submission.submission_id
    inner join intake.close on submission.period = close.period
    where
        submission.period = :period
        and (
            submission.recorded_at <= close.closed_at
            or submission.submission_id in (select run_version.submission_id from run_version)
        )
),

counted as (
    select
        judged.institution_code,
        judged.report,
        max(judged.version) as newest_version,
        min(judged.version) as first_version,
        min(judged.version) filter (where judged.received) as first_received_version
    from judged
    group by judged.institution_code, judged.report
),

owed as (
    select
        institution.code as institution_code,
        obligation.report
    from open_institution as institution
    inner join registry.obligation on institution.kind = obligation.kind
)

insert into mart.reporting
select
    :run_id as run_id,
    :period as period,
    owed.institution_code,
    owed.report,
    coalesce(used.verdict, newest.verdict, 'missing') as status,
    coalesce(used.version, newest.version) as version,
    used.version is not null and first_received.received_at < deadline.deadline_at as on_time,
    used.version is not null and coalesce(counted.first_version = counted.first_received_version, false) as first_pass,
    coalesce(used.errors, newest.errors, 0) as errors,
    coalesce(used.warnings, newest.warnings, 0) as warnings
from owed
inner join registry.deadline
    on
        deadline.period = :period
        and owed.institution_code = deadline.institution_code
left join run_version
    on
        run_version.period = :period
        and owed.institution_code = run_version.institution_code
        and owed.report = run_version.report
left join counted
    on
        owed.institution_code = counted.institution_code
        and owed.report = counted.report
left join judged as used
    on
        run_version.submission_id = used.submission_id
        and owed.report = used.report
left join judged as newest
    on
        owed.institution_code = newest.institution_code
        and owed.report = newest.report
        and counted.newest_version = newest.version
left join judged as first_received
    on
        owed.institution_code = first_received.institution_code
        and owed.report = first_received.report
        and counted.first_received_version = first_received.version
order by owed.institution_code, owed.report
