"""The tasks of `restatement`: show what would change, let a person decide, restate, tell the banks and counties."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException

from five_precisions.bulletin import post_notices
from five_precisions.figures import Restatement, open_request, preview_restatement, restate
from five_precisions.figures.restated_words import RESTATED_TABLE_WORDS, restated_figure_words
from five_precisions.orchestration.runtime import open_for_task, skip
from five_precisions.orchestration.sending import send_due
from five_precisions.period import Period
from five_precisions.register.decision import LONGEST_REASON, reason_of

if TYPE_CHECKING:
    from airflow.sdk import Context, Param

logger = logging.getLogger(__name__)

APPROVE_TASK: Final = "approve"
PREVIEW_TASK: Final = "preview"
_OPEN_STATES: Final = ["queued", "running"]
"""States of a run that is not over."""
_MOST_ROWS: Final = 200
"""Figures of one table that are shown; the command line shows all."""
_MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]<>#|~]")
"""What Markdown would read as layout."""


def request_params() -> dict[str, Param]:
    """What ops say when they ask for a restatement: the month, and why."""
    from airflow.sdk import Param

    return {
        "period": Param(
            type="string",
            # Beside the pattern, whose end would let a line break pass.
            maxLength=7,
            pattern=r"^2[0-9]{3}-(0[1-9]|1[0-2])$",
            title="月份 · month",
            description="YYYY-MM; a month that has been assessed.",
        ),
        "reason": Param(
            type="string",
            pattern=r"\S",
            maxLength=LONGEST_REASON,
            title="理由 · reason",
            description="It stays on record, and everyone may read it.",
        ),
    }


def requested_month(context: Context) -> Period:
    """The month that ops ask for."""
    return Period.parse(str(context["params"]["period"]))


def requested_reason(context: Context) -> str:
    """Why they ask for it, as it is kept and shown.

    Raises:
        UsageError: there is no reason, it is too long, or it holds a control character.
    """
    return reason_of(str(context["params"]["reason"]), "A month is restated for a reason")


def show_restatement(context: Context) -> dict[str, str]:
    """Compute what would change, and keep nothing of it; what the approver needs.

    Raises:
        AirflowFailException: another restatement of the month is open.
        AirflowSkipException: nothing would change, so there is nothing to decide.
    """
    month, reason, run = requested_month(context), requested_reason(context), context["ti"]
    with open_for_task() as (engine, settings):
        open_request(
            engine,
            month,
            run.run_id,
            find_open=lambda others: run.get_dr_count(run.dag_id, run_ids=others, states=_OPEN_STATES),
        )
        shown = preview_restatement(engine, settings, month, reason)
    if not shown.is_new:
        skip(shown.words())
    logger.info(shown.words())
    return {
        "digest": shown.digest,
        "title": f"重述{month}：{shown.run_id}取代{shown.replaced_run_id}，{len(shown.figures)}项数字变化",
        "body": describe(shown, reason),
    }


def approve_task(**kwargs: Any) -> ApprovalOperator:
    """The approval of `restatement`."""
    return ApprovalOperator(
        task_id=APPROVE_TASK,
        subject=f"{{{{ ti.xcom_pull(task_ids='{PREVIEW_TASK}')['title'] }}}}",
        body=f"{{{{ ti.xcom_pull(task_ids='{PREVIEW_TASK}')['body'] }}}}",
        response_timeout=timedelta(days=60),
        **kwargs,
    )


def restate_month(context: Context) -> dict[str, Any]:
    """Restate the month as it was shown; its run, and the months that were computed before it.

    Raises:
        AirflowFailException: nobody has approved.
        RefusedError: the inputs have changed since it was shown.
    """
    month, run = requested_month(context), context["ti"]
    answer = run.xcom_pull(task_ids=APPROVE_TASK)
    if not answer or answer["chosen_options"] != [ApprovalOperator.APPROVE]:
        raise AirflowFailException("Nobody has approved this restatement, so nothing is restated; start again.")
    person = answer["responded_by_user"] or {}
    with open_for_task() as (engine, settings):
        restated = restate(
            engine,
            settings,
            month,
            requested_reason(context),
            person.get("name") or person.get("id") or "unknown",
            shown_digest=run.xcom_pull(task_ids=PREVIEW_TASK)["digest"],
        )
    for sentence in (restated.words(), *restated.advice()):
        logger.info(sentence)
    return {"run_id": restated.run_id, "later_months": [later.period for later in restated.later_runs]}


def send_corrected_notices(context: Context) -> int:
    """Post the restated month's notices and send them; how many were new."""
    month = requested_month(context)
    with open_for_task() as (engine, settings):
        keys = post_notices(engine, settings, month)
        send_due(engine, settings, str(month))
    return len(keys)


def describe(shown: Restatement, reason: str) -> str:
    """What an approver reads before deciding, as Markdown: versions, every kind of figure, later months."""
    lines = [f"理由：{_markdown(reason)}", f"摘要：{shown.digest}"]
    if shown.versions:
        versions = [(each.institution_code, each.report, each.before, each.after) for each in shown.versions]
        lines += ["## 采用的版本", _table(("机构", "报表", "原版本", "新版本"), versions)]
    else:
        lines.append("各机构的报送版本未变；变的是登记信息、考核方案、以前月份或计算规则。")
    tables = {mart: list(figures) for mart, figures in groupby(shown.figures, key=lambda each: each.mart)}
    for mart in (*RESTATED_TABLE_WORDS, *sorted(tables.keys() - RESTATED_TABLE_WORDS.keys())):
        figures = tables.get(mart, [])
        if not figures:
            continue
        lines.append(f"## {RESTATED_TABLE_WORDS.get(mart, mart)}（{len(figures)}项）")
        rows = [
            (each.scope, each.scope_code, restated_figure_words(each.mart, each.figure), each.before, each.after)
            for each in figures[:_MOST_ROWS]
        ]
        lines.append(_table(("范围", "代码", "数字", "原值", "新值"), rows))
        if len(figures) > _MOST_ROWS:
            lines.append(
                f"另有{len(figures) - _MOST_ROWS}项，见 `five-precisions restate {shown.period} --preview --reason …`。"
            )
    if shown.later_runs:
        later = "、".join(run.period for run in shown.later_runs)
        lines.append(f"以后各月（{later}）已按原数字考核，本次不变；如需更正，请依次重述。")
    return "\n\n".join(lines)


def _table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return "—" if value is None else _markdown(str(value))


def _markdown(words: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(words.split()))
