-- How did each report stand when a version was judged? One row a report. Later versions have receipts of their own.
select
    report.report,
    max(submission.version) as newest_version,
    max(submission.version) filter (where report.verdict in ('accepted', 'nil')) as standing_version
from intake.report
inner join intake.submission on report.submission_id = submission.submission_id
where
    submission.period = :period
    and submission.institution_code = :institution_code
    and submission.version <= :version
group by report.report
