-- How often was each thing found in a period? One row a submission, report, rule, level, header and message.
-- The message decides which of several expectations of one rule and column it was; it goes no further than that.
select
    submission_id,
    institution_code,
    report,
    rule,
    level,
    header,
    message,
    case when rule = 'F02' then expected end as missing_header,
    count(*) as findings
from intake.told_finding
where period = :period
group by submission_id, institution_code, report, rule, level, header, message, missing_header
