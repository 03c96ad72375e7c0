"""Asked for by ops: restate a month that has been announced."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, get_current_context, task

from five_precisions.orchestration.notices import notify_ops_at_end
from five_precisions.orchestration.ops_summary import summarize_restatement
from five_precisions.orchestration.restatement import (
    approve_task,
    request_params,
    restate_month,
    send_corrected_notices,
    show_restatement,
)
from five_precisions.orchestration.runtime import task_defaults

DOC = """
**What.** Computes an assessed month once more, from the newest accepted version of every report, late ones included,
and shows what would change. After approval that becomes the month's new revision, with a list of every figure that
changed (`mart.restated_figure`), and the month's notices leave once more. The old revision is kept as it is.

**When.** When you trigger it, with the month and the reason. One run for a month at a time: a second one fails at once.

**What you do.** Open `approve`, then *Required Actions*: read which versions and figures change, approve or reject. A
rejection ends the run. Where nothing would change, the run ends by itself.

**What it does not do.** Later months keep their figures, though they were computed from the old ones: the last lines of
`restate` name them; restate them next, in that order. No asset is emitted: a quarter whose bulletin went out is not
issued again by this.

**When `preview` is red.** The sentence after *Task failed with exception* says why: another restatement of the month is
open, the month has no run yet.

**When `restate` is red.** Nothing was changed. Mostly something came in after it was shown: start a new run.

**When `notify` is red.** The figures stand. Clear it: a notice that was sent is not sent again.
"""

with DAG(
    dag_id="restatement",
    dag_display_name="数据重述 · restatement",
    description="按业务人员的申请重算已公布的月份：先预览变化，批准后成为新版本。",
    doc_md=DOC,
    schedule=None,
    catchup=False,
    max_active_runs=12,
    params=request_params(),
    default_args=task_defaults(),
    **notify_ops_at_end(summarize_restatement),
    tags=["five-precisions", "on request"],
) as dag:

    @task(task_display_name="预览 · preview")
    def preview() -> dict[str, str]:
        return show_restatement(get_current_context())

    @task(task_display_name="重述 · restate")
    def restate() -> dict[str, Any]:
        return restate_month(get_current_context())

    @task(task_display_name="通知 · notify")
    def notify() -> int:
        return send_corrected_notices(get_current_context())

    preview() >> approve_task(task_display_name="审批 · approve") >> restate() >> notify()
