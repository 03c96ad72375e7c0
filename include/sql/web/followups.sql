-- What became of the findings of on-site inspections in a month, of one institution or of all?
-- One row per finding; those that want somebody first, then by the day due.
select
    followup.finding_no,
    followup.institution_code,
    institution.short_name,
    followup.aspect,
    followup.severity,
    followup.inspected_on,
    followup.due_on,
    followup.mended_on,
    followup.state,
    followup.open_alerts,
    followup.remark
from mart.inspection_followup as followup
inner join mart.current_run on followup.run_id = current_run.run_id
inner join registry.institution on followup.institution_code = institution.code
where
    current_run.period = :period
    and (cast(:institution as text) is null or followup.institution_code = :institution)
order by
    array_position(
        array['overdue', 'doubtful', 'gone', 'running', 'mended_late', 'mended'], followup.state
    ),
    followup.due_on,
    followup.finding_no
