-- Which backfills of Airflow's own have no run any more? Takes one row per backfill away.
delete from backfill
where
    backfill.completed_at < :before
    and not exists (select 1 from dag_run where dag_run.backfill_id = backfill.id)
    and not exists (select 1 from backfill_dag_run where backfill_dag_run.backfill_id = backfill.id)
