-- Which alerts stand in the month?
-- One row per alert, the gravest first.
select
    rule,
    aspect,
    level,
    institution_code,
    subject,
    detail,
    case_id
from mart.current_alert
where period = :period
order by
    case level when 'high' then 1 when 'medium' then 2 else 3 end,
    aspect,
    rule,
    institution_code,
    subject
