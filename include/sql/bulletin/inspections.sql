-- Which findings of on-site inspections does the month's run know, and which of them are mended?
-- One row per finding.
select
    inspections.finding_no,
    inspections.institution_code,
    inspections.aspect,
    inspections.severity,
    inspections.inspected_on,
    inspections.due_on,
    case when inspections.mended_on <= :period_end then inspections.mended_on end as mended_on
from mart.run_input as used
inner join core.delivered_inspections as inspections
    on
        used.submission_id = inspections.submission_id
        and used.period = inspections.period
where
    used.run_id = :run_id
    and used.period = :period
    and used.report = 'inspections'
order by inspections.finding_no
