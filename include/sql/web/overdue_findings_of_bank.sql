-- Which inspection findings of an institution are overdue in a month? One row per finding.
select
    followup.finding_no,
    followup.aspect,
    followup.remark
from mart.current_run
inner join mart.inspection_followup as followup on current_run.run_id = followup.run_id
where
    current_run.period = :period
    and followup.institution_code = :code
    and followup.state = 'overdue'
order by followup.due_on, followup.finding_no
