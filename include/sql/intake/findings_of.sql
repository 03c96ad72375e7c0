-- What does the ledger keep of some receipts' findings? One row a finding, of each receipt in its order.
select
    submission_id,
    report,
    rule,
    level,
    file,
    sheet,
    row_number,
    header,
    cell,
    key,
    value,
    expected,
    explanation,
    message
from intake.finding
where submission_id = any(:submission_ids)
order by submission_id, ordinal
