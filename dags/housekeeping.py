"""Every night: backup and a restore tried, retention, partitions ahead, old runs of Airflow, disks."""

from __future__ import annotations

from airflow.sdk import DAG, task

from five_precisions.orchestration.housekeeping import (
    apply_retention,
    clean_airflow,
    look_at_disks,
    make_backup,
    make_partitions,
    try_newest_restore,
)
from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.ops_summary import summarize_housekeeping
from five_precisions.orchestration.runtime import task_defaults
from five_precisions.orchestration.schedules import cron_schedule

DOC = """
**What.** Saves database and archive into one file, restores it into a scratch database, compares every table, and drops
that. Beside it: takes away old logs, and superseded files of the archive where a setting says so; takes old runs out of
Airflow's own database; makes the partitions of the next months; looks how full the disks are. What each has done stands
in `registry.housekeeping`. Secrets are in no backup.

Ops are told of a disk with less than a tenth free or full within thirty days; of a backup or a tried restore that is
more than two days old; of files that the archive has lost.

**When.** Every night at two in Shanghai. In a replay never. No task waits for another, but `restore_test` for `backup`.

**When one is red.** The sentence after *Task failed with exception* says why. Fix it and clear the task: nothing is
harmed by a second time.

| red task | what it means |
| --- | --- |
| `backup` | there is no backup of this night; those of before stand. Mostly the disk is full, or `pg_dump` is missing |
| `restore_test` | the newest backup was not shown to be good. Do not rely on it before this is green |
| `airflow_clean` | the log says which table of Airflow's was not cleaned; the others are |
| `retention` | the archive, or the folder of logs, cannot be written to |
"""

with DAG(
    dag_id="housekeeping",
    dag_display_name="每日维护 · housekeeping",
    description="每天凌晨两点备份并试恢复，清理旧日志和旧运行记录，预建分区，检查磁盘空间。",
    doc_md=DOC,
    schedule=cron_schedule("0 2 * * *"),
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    **notify_ops_at_end(summarize_housekeeping),
    tags=["five-precisions", "daily"],
) as dag:

    @task(task_display_name="清理日志和存档 · retention")
    def retention() -> int:
        return apply_retention()

    @task(task_display_name="清理运行记录 · Airflow's old runs")
    def airflow_clean() -> None:
        return clean_airflow()

    @task(task_display_name="预建分区 · partitions")
    def partitions() -> list[str]:
        return make_partitions()

    @task(task_display_name="备份 · backup")
    def backup() -> str:
        return make_backup()

    @task(task_display_name="试恢复 · restore test")
    def restore_test() -> None:
        return try_newest_restore()

    @task(task_display_name="磁盘 · disk")
    def disk() -> None:
        return look_at_disks()

    retention()
    airflow_clean()
    partitions()
    disk()
    backup() >> restore_test()
