"""Every hour: take in what came too late, and send what a server has refused so far."""

from __future__ import annotations

from airflow.sdk import DAG, task

from five_precisions.orchestration.late_submissions import collect_late_packages
from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.runtime import task_defaults
from five_precisions.orchestration.schedules import cron_schedule

DOC = """
**What.** Takes in what lies in the inbox for closed months, however long ago, and of institutions whose own deadline
has passed: checked, recorded and answered with a receipt as ever, marked late. Announced figures stay as they are until
you restate the month. Then sends every message that is due: the receipts, and what a mail server refused for now,
whichever DAG it is of.

**When.** Every hour, at twenty past. Where nothing lies there it is skipped. In a replay never.

**When `take_in` is red.** The sentence after *Task failed with exception* names the package, or says what cannot be
reached. The others are taken in. Fix it; the next run takes it up again.
"""

with DAG(
    dag_id="late_submissions",
    dag_display_name="迟报收集 · late submissions",
    description="每小时收集已关闭月份的迟报，照常校验并发回执，不改已公布的数字。",
    doc_md=DOC,
    schedule=cron_schedule("20 * * * *"),
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    **notify_ops_at_end(),
    tags=["five-precisions", "hourly"],
) as dag:

    @task(task_display_name="收集 · take in")
    def take_in() -> list[str]:
        return collect_late_packages()

    take_in()
