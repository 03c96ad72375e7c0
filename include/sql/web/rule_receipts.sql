-- Whom did a rule tell something for a month? One row per receipt, report and level, by institution, the oldest first.
with receipt as (
    select
        submission.submission_id,
        submission.institution_code,
        submission.version,
        submission.recorded_at as told_at
    from intake.submission
    where submission.period = :period
    union all
    select
        cross_check.submission_id,
        cross_check.institution_code,
        null as version,
        cross_check.checked_at as told_at
    from intake.cross_check
    where cross_check.period = :period
)

select
    receipt.submission_id,
    receipt.institution_code,
    institution.short_name,
    receipt.version,
    receipt.told_at,
    finding_count.report,
    finding_count.level,
    finding_count.findings
from receipt
inner join intake.finding_count on receipt.submission_id = finding_count.submission_id
inner join registry.institution on receipt.institution_code = institution.code
where finding_count.rule = :rule
order by receipt.institution_code, receipt.told_at, finding_count.report
