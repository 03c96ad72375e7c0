-- What have ops decided on cases (docs/figures.md#alerts)? One row per decision, the newest last.
select
    decision.decision_number,
    decision.case_id,
    decision.from_period,
    decision.until,
    decision.reason,
    decision.decided_by,
    decision.decided_at
from registry.case_set_aside as decision
where decision.case_id = any(:case_ids)
order by decision.decision_number
