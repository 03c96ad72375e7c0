-- What became of every report owed for the period (docs/intake.md#its-life; docs/figures.md#reporting)?
-- One row per open institution and report that it owes for the period.
with counted as (
    select
        judged.institution_code,
        judged.report,
        max(judged.version) as newest_version,
        min(judged.version) as first_version,
        min(judged.version) filter (where judged.verdict in ('accepted', 'nil')) as first_received_version
    from judged
    group by judged.institution_code, judged.report
),

owed as (
    select
        expected_report.institution_code,
        expected_report.report
    from open_institution as institution
    inner join registry.expected_report
        on
            expected_report.period = :period
            and institution.code = expected_report.institution_code
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
left join intake.submission as named on run_version.submission_id = named.submission_id
left join judged as used
    on
        owed.institution_code = used.institution_code
        and owed.report = used.report
        and named.version = used.version
left join counted
    on
        owed.institution_code = counted.institution_code
        and owed.report = counted.report
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
