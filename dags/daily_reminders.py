"""Every morning: remind institutions of what they still miss."""

from __future__ import annotations

from airflow.sdk import DAG, task

from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.ops_summary import summarize_day
from five_precisions.orchestration.reminders import send_reminders
from five_precisions.orchestration.runtime import task_defaults
from five_precisions.orchestration.schedules import cron_schedule

DOC = """
**What.** Mails every institution that still misses something, naming what: three days and one day before its deadline,
and the day after. Nobody gets the same reminder twice, and after a day without a run only the one that is due now is
sent. A deadline that was moved has reminders of its own.

Ops are told, in one message and only if there is anything: folders of the inbox that nobody will look into, such as
2019-6 or a code that no institution has; packages that we failed to check; deadlines that rest on days off which are
not announced yet, or would be earlier by now; institutions that are no longer in the register's files, and owe their
reports until they are written in again or closed (`five-precisions register close`); drafts of a bulletin that have
waited for a decision for more than two working days; messages that failed, are in doubt, or are unsent for a day.

**When.** Every day at nine in Shanghai. In a replay never.

**When `remind` is red.** The sentence after *Task failed with exception* says why. Fix it and clear the task: what was
sent is not sent again.
Mails that wait are shown by `five-precisions outbox list`.
"""

with DAG(
    dag_id="daily_reminders",
    dag_display_name="每日催报 · daily reminders",
    description="每天上午九点催报尚未报齐的机构，并告知业务人员待办事项。",
    doc_md=DOC,
    schedule=cron_schedule("0 9 * * *"),
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    **notify_ops_at_end(summarize_day),
    tags=["five-precisions", "daily"],
) as dag:

    @task(task_display_name="催报 · remind")
    def remind() -> int:
        return send_reminders()

    remind()
