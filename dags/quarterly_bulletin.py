"""When a quarter's three months are assessed: render the bulletin, let a person decide, deliver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    PartitionedAssetTimetable,
    QuarterWindow,
    RollupMapper,
    StartOfQuarterMapper,
    get_current_context,
    task,
)

from five_precisions.orchestration.assets import ASSESSMENT
from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.ops_summary import summarize_bulletin
from five_precisions.orchestration.publication import (
    approve_task,
    approved_messages,
    deliver_message,
    render_draft,
)
from five_precisions.orchestration.runtime import task_defaults

DOC = """
**What.** Renders the quarter's bulletin, holds it against its invariants, shows it to a person, and after approval
sends it to every bank, county office and leader.

**When.** When all three months of a quarter are assessed.

**What you do.** Open `approve`, then *Required Actions*: read the text, follow its first line to the draft's page with
PDF, workbook and mail, write a remark if the leaders have one (it becomes part of section 五), approve or reject. The
first decision stands. A rejection ends the run, with your remark as its reason. A new draft, and a correction after a
restatement, is a new run: *Trigger*, *Advanced Options*, *Partition Key* `2019-Q2`.

**When `render` is red.** Nothing was shown. The sentence after *Task failed with exception* says what contradicts what,
or which month is missing.

**When `approve` is red.** Its log says why, e.g. that the remark is too long. Clear it: it asks again.

**When a row of `deliver` is red.** `five-precisions outbox list` says how that one message stands. The others are not
touched.

- `failed`, `in_doubt`: the list says why, and `outbox resend` sends it again when you decide so.
- `pending`: do nothing. The row has given up after about four hours, the outbox goes on for two days: *late
  submissions* sends it. Clear the row afterwards.
"""

with DAG(
    dag_id="quarterly_bulletin",
    dag_display_name="季度通报 · quarterly bulletin",
    description="一季三个月考核完毕后起草通报，经人审批后送达各行、各县和领导。",
    doc_md=DOC,
    schedule=PartitionedAssetTimetable(
        assets=ASSESSMENT,
        default_partition_mapper=RollupMapper(
            upstream_mapper=StartOfQuarterMapper(input_format="%Y-%m"), window=QuarterWindow()
        ),
    ),
    catchup=False,
    max_active_runs=4,
    default_args=task_defaults(),
    **notify_ops_at_end(summarize_bulletin),
    tags=["five-precisions", "quarterly"],
) as dag:

    @task(task_display_name="起草 · render")
    def render() -> dict[str, Any]:
        return render_draft(get_current_context())

    @task(task_display_name="发文 · post")
    def post() -> list[str]:
        return approved_messages(get_current_context())

    @task(
        task_display_name="送达 · deliver",
        map_index_template="{{ recipient }}",
        retries=8,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=True,
    )
    def deliver(key: str) -> str:
        return deliver_message(get_current_context(), key)

    posted = post()
    render() >> approve_task(task_display_name="审批 · approve") >> posted
    deliver.expand(key=posted)
