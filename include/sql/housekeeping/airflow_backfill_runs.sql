-- Which rows of Airflow's own on a backfill's runs belong to backfills none of whose runs are left? Takes one row per
-- run away.
delete from backfill_dag_run
where
    backfill_dag_run.backfill_id in (
        select backfill.id
        from backfill
        where
            backfill.completed_at < :before
            and not exists (select 1 from dag_run where dag_run.backfill_id = backfill.id)
    )
