-- What was found in a version or a check across reports? One row per finding, in reading order.
select
    finding.report,
    finding.rule,
    finding.level,
    finding.file,
    finding.sheet,
    finding.cell,
    finding.row_number,
    finding.header,
    finding.key,
    finding.value,
    finding.expected,
    finding.message,
    finding.explanation
from intake.finding
where finding.submission_id = :submission_id
order by finding.ordinal
limit :first
