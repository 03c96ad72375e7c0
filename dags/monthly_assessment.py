"""When a month has closed: compute it, tell the banks and counties."""

from __future__ import annotations

from airflow.sdk import DAG, PartitionedAssetTimetable, get_current_context, task

from five_precisions.orchestration.assessment import assess_month, publish_data_docs, send_notices
from five_precisions.orchestration.assets import ASSESSMENT, SUBMISSIONS
from five_precisions.orchestration.deadline_alerts import alert_of_late_assessment
from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.ops_summary import summarize_assessment
from five_precisions.orchestration.runtime import task_defaults

DOC = """
**What.** Computes figures, scores, targets, the assessment and all boards of a closed month as a new revision, then
sends the monthly notice to every bank and county office, and a supervision notice (督办单) to whom a case of level high
is new, back or worse.

**When.** When `monthly_collection` has closed a month; months go in order.

**When it is late.** Three hours after it was due, ops are told.

**When `assess` is red.** The sentence after *Task failed with exception* says why, e.g. that an earlier month has no
run yet, or that a target is missing. Fix it and clear the task: the same input gives the same run.

**When `notify` is red.** The figures stand. Clear it: a notice that was sent is not sent again.

**`data docs`** shows which checks held in which version, by Great Expectations; its result is the address of the pages.
When it is red, figures and notices stand: clear it.
"""

with DAG(
    dag_id="monthly_assessment",
    dag_display_name="月度考核 · monthly assessment",
    description="某月关闭后计算指标、评分、考核和排名，并通知各行和各县。",
    doc_md=DOC,
    schedule=PartitionedAssetTimetable(assets=SUBMISSIONS),
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    **notify_ops_at_end(summarize_assessment),
    **alert_of_late_assessment(),
    tags=["five-precisions", "monthly"],
) as dag:

    @task(task_display_name="考核 · assess", outlets=[ASSESSMENT])
    def assess() -> dict[str, str]:
        return assess_month(get_current_context())

    @task(task_display_name="通知 · notify")
    def notify() -> int:
        return send_notices(get_current_context())

    @task(task_display_name="数据质量 · data docs")
    def data_docs() -> str:
        return publish_data_docs(get_current_context())

    assess() >> notify()
    data_docs()
