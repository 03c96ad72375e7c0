"""Messages to ops about what they have to look at: one a run, through the Apprise provider, outside the outbox.

The warehouse may be what failed, so these messages do not go by way of it (docs/outputs.md#what-ops-are-told).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.apprise.notifications.apprise import AppriseNotifier
from airflow.sdk.exceptions import AirflowException
from apprise import NotifyType

from five_precisions.errors import FivePrecisionsError
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context

logger = logging.getLogger(__name__)

CONNECTION = "apprise_default"
"""The Airflow connection that says where ops get them; its `config` is described in the provider's documentation."""

Find = Callable[["Context"], list[str]]
"""What ops have to look at when a run has ended, a sentence each."""

_RUN = "{{ dag.dag_id }}{{ ' ' ~ dag_run.partition_key if dag_run.partition_key else '' }}"
"""A run's name: that of a month or quarter has a partition, the daily and hourly ones have none."""
_FAILED = (
    f"The run {{{{ run_id }}}} of {_RUN} failed. "
    "Open it in Airflow: in a red task's log one sentence after 'Task failed with exception' says what to do."
)


class RunSummary(AppriseNotifier):
    """The one message to ops at the end of a DAG run: that it failed, and what else they have to look at.

    A run that went well and leaves nothing to do sends none.
    """

    def __init__(self, *, has_failed: bool, find: Find | None) -> None:
        """Make the summary of a DAG's runs.

        Args:
            has_failed: Whether it is that of failed runs.
            find: What ops have to look at; None where that is nothing but a failure.
        """
        super().__init__(
            apprise_conn_id=CONNECTION,
            notify_type=NotifyType.FAILURE if has_failed else NotifyType.WARNING,
            title=f"{_subject_prefix()}[five-precisions] {_RUN} {'failed' if has_failed else 'wants a look'}",
            body=_FAILED if has_failed else "",
        )
        self._find = find

    def notify(self, context: Context) -> None:
        """Send it, if there is anything to look at."""
        sentences = [self.body] if self.body else []
        sentences += self._found(context)
        if sentences:
            _use_our_mail()
            self.hook.notify(body="\n\n".join(sentences), title=self.title, notify_type=self.notify_type, tag=self.tag)

    def _found(self, context: Context) -> list[str]:
        if self._find is None:
            return []
        try:
            return self._find(context)
        except FivePrecisionsError as error:
            return [f"What else it left cannot be told: {error}"]


def notify_ops_at_end(find: Find | None = None) -> dict[str, Any]:
    """The callbacks of a DAG that send ops one message a run; to be unpacked into `DAG(…)`.

    Args:
        find: What ops have to look at, whether the run failed or not; without it they hear of failures only.
    """
    callbacks: dict[str, Any] = {"on_failure_callback": RunSummary(has_failed=True, find=find)}
    if find is not None:
        callbacks["on_success_callback"] = RunSummary(has_failed=False, find=find)
    return callbacks


def notify_ops(subject: str, *sentences: str) -> None:
    """Send ops a message at once, from within a task, about what cannot wait for the end of the run.

    A message that cannot be sent fails no task: the sentences stand in its log, too.
    """
    notice = AppriseNotifier(
        apprise_conn_id=CONNECTION,
        notify_type=NotifyType.WARNING,
        title=f"{_subject_prefix()}[five-precisions] {subject}",
        body="\n\n".join(sentences),
    )
    _use_our_mail()
    try:
        notice.notify({})  # type: ignore[no-untyped-call]
    except (AirflowException, KeyError, ValueError) as error:
        logger.error("Ops could not be told by the connection %s: %s", CONNECTION, type(error).__name__)  # noqa: TRY400


def _use_our_mail() -> None:
    # Only here: it loads Apprise's plugins, and no DAG file waits for them.
    from five_precisions.delivery.folded_mail import use_folded_mail

    use_folded_mail()


def _subject_prefix() -> str:
    """The word for this environment; nothing where the settings are what is wrong: the message leaves all the same."""
    try:
        return Settings.load().subject_prefix
    except FivePrecisionsError:
        return ""
