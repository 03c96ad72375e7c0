-- Which versions did cross checks look at? One row a check and report of which something is found.
-- It is what stood when it was held against others: at the close what was frozen, else the newest version then.
select distinct on (cross_check.submission_id, report.report)
    cross_check.submission_id as cross_check_id,
    report.report,
    report.submission_id,
    submission.version,
    report.file,
    report.sheet,
    file.sha256,
    file.size
from intake.cross_check
inner join intake.submission
    on cross_check.period = submission.period and cross_check.institution_code = submission.institution_code
inner join intake.report on submission.submission_id = report.submission_id
left join intake.frozen_report
    on
        cross_check.period = frozen_report.period
        and cross_check.institution_code = frozen_report.institution_code
        and report.report = frozen_report.report
        and cross_check.edition like 'close%'
left join intake.file on report.submission_id = file.submission_id and split_part(report.file, '/', 1) = file.name
where
    cross_check.submission_id = any(:submission_ids)
    and report.verdict in ('accepted', 'nil')
    and exists (
        select from intake.finding
        where
            finding.submission_id = cross_check.submission_id
            and finding.report = report.report
    )
    and (frozen_report.submission_id is null or frozen_report.submission_id = report.submission_id)
order by
    cross_check.submission_id asc,
    report.report asc,
    submission.recorded_at <= cross_check.checked_at desc,
    submission.version desc
