-- Which versions stand of the month before and of December, with which a period is compared? One row.
select coalesce(string_agg(report || ' ' || submission_id, ' ' order by report, submission_id), '') as versions
from intake.standing_report
where period in (:previous_period, :december)
