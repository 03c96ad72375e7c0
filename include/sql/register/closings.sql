-- What was decided on institutions that the files no longer name? One row per decision, the oldest first.
select
    institution_code,
    closed_on,
    reason,
    decided_by,
    decided_at
from registry.closing
order by closing_number
