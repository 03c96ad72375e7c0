-- Which cases have ops set aside, as of the end of the period (docs/figures.md#alerts)? One row per case. Of the
-- decisions on a case the newest holds; one that was made when a later month was the newest does not reach back.
insert into set_aside
select newest.case_id
from (
    select distinct on (decision.case_id)
        decision.case_id,
        decision.until
    from registry.case_set_aside as decision
    where decision.from_period <= :period
    order by decision.case_id asc, decision.decision_number desc
) as newest
where newest.until >= :period_end
