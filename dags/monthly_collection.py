"""1st of the month: open the month, collect from each institution until the deadline, close."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronPartitionTimetable, get_current_context, task

from five_precisions.orchestration.assets import SUBMISSIONS
from five_precisions.orchestration.collection import CollectInstitution, close_month, open_month
from five_precisions.orchestration.deadline_alerts import alert_of_open_month
from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.ops_summary import summarize_collection
from five_precisions.orchestration.runtime import task_defaults
from five_precisions.orchestration.schedules import first_run, last_run

DOC = """
**What.** Opens the month, takes in each institution's packages, closes the month at the deadline.

**When.** On the 1st, for the month before; the deadline is the end of the 8th Chinese working day. It moves, for all or
for one institution, by `five-precisions deadline PERIOD DATE --reason TEXT`; who waits knows within a few minutes, and
the month closes when the last deadline has passed. A row that has ended by then goes on waiting when you clear it.

**The grid is the submission matrix.** One row of `collect` for each institution: violet waits for a package, green has
delivered everything, red is missing something or was rejected at the deadline. Its log tells the story of its packages.

**When it is late.** Six hours after the last deadline, ops are told of a month that is not closed.

**When `collect` is red.** Its log names the reports, after *Task failed with exception*. At the deadline that is a fact
to live with: the month closes without them. After trouble of ours (a lost connection), clear the task: what is
recorded stays as it is.

**When `close` is red.** Read the sentence after *Task failed with exception*, fix it, clear the task. A month that is
closed and assessed is skipped.

- 收件箱里还有截止前报来、没有收进的报送包（那一行任务失败）：清除那几行的 `collect`；决定不等它们，就在命令行执行
  `five-precisions close 2019-06 --force --reason 理由`，再清除 `close`。截止后才报来的算迟报，不影响关闭。
- 上一个月没有关闭：先关闭上一个月，再清除 `close`。
- 没有任何报送记录，也没有设 `FIVE_PRECISIONS_FIRST_PERIOD`：先收进报表，或设好首月，再清除 `close`。
- 某月误关、还没有考核：在命令行执行 `five-precisions reopen 2018-12 --reason 理由`；有报送记录的月份，补齐后清除
  `close`，重新关闭。
"""

with DAG(
    dag_id="monthly_collection",
    dag_display_name="月度收集 · monthly collection",
    description="每月1日起收集上月报表，逐机构校验并发回执，截止后关闭该月。",
    doc_md=DOC,
    schedule=CronPartitionTimetable("0 0 1 * *", timezone="Asia/Shanghai", run_offset=-1, key_format="%Y-%m"),
    start_date=first_run(),
    end_date=last_run(),
    catchup=True,
    max_active_runs=1,
    default_args=task_defaults(),
    **notify_ops_at_end(summarize_collection),
    **alert_of_open_month(),
    tags=["five-precisions", "monthly"],
) as dag:

    @task(task_id="open", task_display_name="打开报送期 · open")
    def open_period() -> list[dict[str, str]]:
        return open_month(get_current_context())

    @task(task_display_name="关闭 · close", trigger_rule="all_done", outlets=[SUBMISSIONS])
    def close() -> dict[str, Any]:
        return close_month(get_current_context())

    collect = CollectInstitution.partial(
        task_id="collect",
        task_display_name="收集 · collect",
        map_index_template="{{ institution }}",
    ).expand_kwargs(open_period())
    collect >> close()
