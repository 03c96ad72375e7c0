-- Which cases count nowhere by decision of ops? One row per case.
select set_aside.case_id
from set_aside
order by set_aside.case_id
