-- Which findings of inspections are past their date on a day, by the newest month that followed them up? One row per
-- finding, the gravest and oldest first.
select
    followup.period,
    followup.finding_no,
    followup.institution_code,
    institution.short_name,
    followup.aspect,
    followup.severity,
    followup.due_on
from mart.current_inspection_followup as followup
inner join registry.institution on followup.institution_code = institution.code
where
    followup.period = (select max(newest.period) from mart.current_inspection_followup as newest)
    and followup.state in ('running', 'overdue')
    and followup.due_on < :day
order by
    array_position(array['严重', '较重', '一般'], followup.severity),
    followup.due_on,
    followup.finding_no
