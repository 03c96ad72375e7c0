-- What have institutions explained, and what was last found of it? One row an explanation.
select
    submission.period,
    submission.institution_code,
    explanation.submission_id,
    explanation.report,
    explanation.rule,
    explanation.key,
    explanation.value,
    explanation.explanation,
    explanation.is_bound,
    newest.period as found_in,
    newest.value as found_value
from intake.explanation
inner join intake.submission on explanation.submission_id = submission.submission_id
left join lateral (
    select
        reported.period,
        -- Of several values reported at once, the one that is explained.
        case
            when bool_or(reported.value is not distinct from explanation.value) then explanation.value
            else min(reported.value)
        end as value
    from (
        select
            finding.period,
            finding.value,
            rank() over (order by finding.period desc, finding.told_at desc) as age
        from intake.told_finding as finding
        where
            finding.institution_code = submission.institution_code
            and finding.report = explanation.report
            and finding.rule = explanation.rule
            and coalesce(finding.key, '') = explanation.key
    ) as reported
    where reported.age = 1
    group by reported.period
) as newest on true
where
    (cast(:period as text) is null or submission.period = :period)
    and (cast(:institution_code as text) is null or submission.institution_code = :institution_code)
order by submission.period, submission.institution_code, submission.version, explanation.ordinal
