-- How often did each rule find something in the newest months? One row per rule, level and month in which it did.
with newest as (
    select period.period
    from registry.period
    where period.period <= :period
    order by period.period desc
    limit :months
),

receipt as (
    select
        submission.submission_id,
        submission.period,
        submission.institution_code
    from newest
    inner join intake.submission on newest.period = submission.period
    union all
    select
        cross_check.submission_id,
        cross_check.period,
        cross_check.institution_code
    from newest
    inner join intake.cross_check on newest.period = cross_check.period
),

of_institution as (
    select
        receipt.period,
        receipt.institution_code,
        of_receipt.rule,
        of_receipt.level,
        sum(of_receipt.findings) as findings
    from receipt
    -- Summed up receipt by receipt, by the index: the counts of older months are not read.
    cross join
        lateral (
            select
                finding_count.rule,
                finding_count.level,
                sum(finding_count.findings) as findings
            from intake.finding_count
            where
                receipt.submission_id = finding_count.submission_id
                and (cast(:rule as text) is null or finding_count.rule = :rule)
            group by finding_count.rule, finding_count.level
        ) as of_receipt
    group by receipt.period, receipt.institution_code, of_receipt.rule, of_receipt.level
)

select
    of_institution.rule,
    of_institution.level,
    of_institution.period,
    sum(of_institution.findings) as findings,
    count(*) as institutions
from of_institution
group by of_institution.rule, of_institution.level, of_institution.period
order by of_institution.rule, of_institution.level, of_institution.period
