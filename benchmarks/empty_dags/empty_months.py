"""The shapes of our monthly DAGs with empty tasks: what remains is Airflow's own time."""

from __future__ import annotations

from airflow.sdk import DAG, Asset, CronPartitionTimetable, PartitionedAssetTimetable, task

from five_precisions.orchestration.schedules import first_run, last_run

CLOSED = Asset("empty_submissions")
INSTITUTIONS = 17

with DAG(
    dag_id="empty_collection",
    schedule=CronPartitionTimetable("0 0 1 * *", timezone="Asia/Shanghai", run_offset=-1, key_format="%Y-%m"),
    start_date=first_run(),
    end_date=last_run(),
    catchup=True,
    max_active_runs=1,
):

    @task
    def open_period() -> list[int]:
        return list(range(INSTITUTIONS))

    @task
    def collect(number: int) -> int:
        return number

    @task(outlets=[CLOSED])
    def close() -> None:
        return None

    collect.expand(number=open_period()) >> close()

with DAG(dag_id="empty_assessment", schedule=PartitionedAssetTimetable(assets=CLOSED), max_active_runs=1):

    @task
    def assess() -> None:
        return None

    @task
    def notify() -> None:
        return None

    assess() >> notify()
