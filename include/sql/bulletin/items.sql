-- What makes up each bank's score in the month?
-- One row per bank and indicator.
select
    institution_code,
    indicator,
    weight,
    raw,
    points,
    note
from mart.current_assessment_item
where period = :period
order by institution_code, indicator
