"""The tasks of `quarterly_bulletin`: render, let a person decide, post, deliver."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseOperatorLink
from airflow.sdk.exceptions import AirflowFailException

from five_precisions import bulletin
from five_precisions.bulletin import LONGEST_REMARK, DraftDecision, decide, preview, show_draft, write
from five_precisions.delivery import Kind, Status, dispatch, list_messages
from five_precisions.errors import UnreachableError
from five_precisions.orchestration.links import DraftLink
from five_precisions.orchestration.runtime import open_for_task, partition_key, quarter_of

if TYPE_CHECKING:
    from airflow.sdk import Context

logger = logging.getLogger(__name__)

APPROVE_TASK = "approve"
DRAFT_PAGES = "five-precisions/drafts"
"""Where drafts are shown (web.drafts), below Airflow's own address. Airflow's pages name that address as their base.
So without a slash at its head the link is right also where Airflow stands below a path of its server."""


def render_draft(context: Context) -> dict[str, Any]:
    """Render the quarter, hold it against the invariants and lay the draft into the outbox; what the approver needs.

    Of a quarter whose bulletin went out and that was restated since, it is the correction.

    Raises:
        InvariantError: the results contradict themselves; nothing is shown.
        RefusedError: the bulletin went out, and nothing in it has changed since.
    """
    with open_for_task() as (engine, settings):
        rendered = bulletin.render_draft(engine, settings, quarter_of(context))
        draft = show_draft(engine, rendered)
        options = settings.storage_options("outbox")
        write(rendered, settings.outbox_address, f"{rendered.results.quarter}/draft-{draft}", options)
    logger.info("%s: draft %d waits for approval, digest %s", rendered.bulletin.title, draft, rendered.digest)
    return {
        "draft": draft,
        "digest": rendered.digest,
        "title": rendered.bulletin.title,
        "preview": preview(rendered, f"{DRAFT_PAGES}/{rendered.results.quarter}/{draft}"),
    }


class ApproveBulletin(ApprovalOperator):
    """Shows a draft to a person and records what they decide, with the digest of what they saw.

    An approval and the bulletin's messages are written in one transaction, before Airflow knows the answer as done. So
    clearing this task cannot lose who decided what.

    Args:
        draft_page: Address of the draft's page, for the link.
    """

    template_fields: Sequence[str] = (*ApprovalOperator.template_fields, "draft_page")
    operator_extra_links: Collection[BaseOperatorLink] = (DraftLink(),)

    def __init__(self, *, draft_page: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.draft_page = draft_page

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the decision; then go on, or skip what follows."""
        shown = context["ti"].xcom_pull(task_ids="render")
        if "error" not in event:
            person = event["responded_by_user"] or {}
            decision = DraftDecision(
                draft=shown["draft"],
                shown_digest=shown["digest"],
                approved=self.APPROVE in event["chosen_options"],
                decided_by=person.get("name") or person.get("id") or "unknown",
                decided_at=event["responded_at"],
                remark=(event["params_input"] or {}).get("remark") or "",
            )
            with open_for_task() as (engine, settings):
                decide(engine, settings, quarter_of(context), decision)
            self.log.info("Draft %s of %s: %s", decision.draft, partition_key(context), decision.word)
        return super().execute_complete(context, event)


def approve_task(**kwargs: Any) -> ApproveBulletin:
    """The approval of `quarterly_bulletin`, with its form."""
    from airflow.sdk import Param

    remark = Param(
        None,
        # Null, so that it may stay empty: Airflow's form keeps both buttons shut until what is required is filled in.
        type=["null", "string"],
        maxLength=LONGEST_REMARK,
        title=f"批示（写入第五部分，不超过{LONGEST_REMARK}字），或退回的理由",
        format="multiline",
    )
    return ApproveBulletin(
        task_id=APPROVE_TASK,
        subject="{{ ti.xcom_pull(task_ids='render')['title'] }}（第{{ ti.xcom_pull(task_ids='render')['draft'] }}稿）",
        body="{{ ti.xcom_pull(task_ids='render')['preview'] }}",
        params={"remark": remark},
        draft_page=(
            f"{DRAFT_PAGES}/{{{{ dag_run.partition_key }}}}/{{{{ ti.xcom_pull(task_ids='render')['draft'] }}}}"
        ),
        response_timeout=timedelta(days=60),
        **kwargs,
    )


def approved_messages(context: Context) -> list[str]:
    """Keys of the messages that the approval of this run's draft has posted."""
    edition = f"/draft-{context['ti'].xcom_pull(task_ids='render')['draft']}"
    with open_for_task() as (engine, _):
        messages = list_messages(engine, period=partition_key(context))
    # A mail that stands in for a refused message is sent with it.
    keys = [
        message.message_key
        for message in messages
        if message.kind in (Kind.BULLETIN, Kind.CORRECTION)
        and message.fallback_of is None
        and message.message_key.endswith(edition)
    ]
    logger.info("%d messages to send", len(keys))
    return keys


def deliver_message(context: Context, key: str) -> str:
    """Send one message of the bulletin.

    Raises:
        UnreachableError: the server refused it for now; Airflow tries again.
        AirflowFailException: it was refused for good, or it is in doubt; ops decide.
    """
    with open_for_task() as (engine, settings):
        [message] = [each for each in list_messages(engine, period=partition_key(context)) if each.message_key == key]
        # The grid's name of this row.
        context["recipient"] = message.recipient  # type: ignore[typeddict-unknown-key]
        if message.status is not Status.SENT:
            dispatch(engine, settings, keys=[key])
        messages = list_messages(engine, period=partition_key(context))
        # Where a service refused it and a mail stands in for it, the mail is what counts.
        message = next((each for each in messages if each.fallback_of == key), None) or next(
            each for each in messages if each.message_key == key
        )
    if message.status in (Status.FAILED, Status.IN_DOUBT):
        raise AirflowFailException(f"{key} is {message.status}: {message.reply}; see: five-precisions outbox list")
    if message.status is not Status.SENT:
        raise UnreachableError(f"{key} waits: {message.reply}")
    return message.status
