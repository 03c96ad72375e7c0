-- Which months that a bulletin reads were restated? One row per restatement, the newest first.
-- `is_after`: it has replaced a run that the quarter's newest bulletin was made from.
select
    run.period,
    run.run_id,
    run.closed_at,
    run.current as is_current,
    restatement.replaced_run_id,
    restatement.reason,
    restatement.decided_by,
    (
        select count(*)
        from mart.restated_figure
        where restated_figure.run_id = restatement.run_id
    ) as figures,
    exists(
        select from mart.run as published
        where
            published.run_id = any(cast(:approved_run_ids as text[]))
            and published.period = run.period
            and published.revision < run.revision
    ) as is_after
from mart.restatement
inner join mart.run on restatement.run_id = run.run_id
where run.period between :first_period and :last_period
order by run.closed_at desc
