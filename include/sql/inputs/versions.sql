-- Which versions does a run use? Of its own month what the close froze, or in a restatement what stands now; of earlier
-- months the flows that their newest run used (docs/figures.md#scopes-and-rounding). One row per period, institution
-- and report.
insert into run_version
select
    frozen.period,
    frozen.institution_code,
    frozen.report,
    frozen.submission_id
from intake.frozen_report as frozen
where
    frozen.period = :period
    and not :is_restatement
union all
select
    accepted.period,
    accepted.institution_code,
    accepted.report,
    accepted.submission_id
from intake.standing_report as accepted
where
    accepted.period = :period
    and :is_restatement
union all
select
    used.period,
    used.institution_code,
    used.report,
    used.submission_id
from mart.run_input as used
inner join mart.run on used.run_id = run.run_id
where
    run.current
    and run.period < :period
    and used.period = run.period
    and used.report = any(:flows)
