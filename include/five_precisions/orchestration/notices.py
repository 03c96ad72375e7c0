"""Telling ops what wants a human: one message a run, through the Apprise provider, outside the outbox.

The warehouse may be what failed, so these messages do not go by way of it (spec/05, Messages).
"""

from __future__ import annotations

import logging

from airflow.providers.apprise.notifications.apprise import AppriseNotifier
from airflow.sdk.exceptions import AirflowException
from apprise import NotifyType

logger = logging.getLogger(__name__)

CONNECTION = "apprise_default"
"""The Airflow connection that says where ops are told; its `config` is described in the provider's documentation."""

_RUN = "{{ dag.dag_id }}{{ ' ' ~ dag_run.partition_key if dag_run.partition_key else '' }}"
"""A run's name: that of a month or quarter has a partition, the daily and hourly ones have none."""


def failure_notice() -> AppriseNotifier:
    """The notice of a DAG run that failed; set as `on_failure_callback` of a DAG, it is sent once a run."""
    return AppriseNotifier(
        apprise_conn_id=CONNECTION,
        notify_type=NotifyType.FAILURE,
        title=f"[five-precisions] {_RUN} failed",
        body=(
            f"The run {{{{ run_id }}}} of {_RUN} failed. "
            "Open it in Airflow: the red tasks' logs end with one sentence that says what to do."
        ),
    )


def tell_ops(subject: str, *sentences: str) -> None:
    """Tell ops from within a task what wants a human though nothing failed.

    That they cannot be told fails no task: the sentences stand in its log, too.
    """
    notice = AppriseNotifier(
        apprise_conn_id=CONNECTION,
        notify_type=NotifyType.WARNING,
        title=f"[five-precisions] {subject}",
        body="\n\n".join(sentences),
    )
    try:
        notice.notify({})  # type: ignore[no-untyped-call]
    except (AirflowException, KeyError, ValueError) as error:
        logger.error("Ops could not be told by the connection %s: %s", CONNECTION, type(error).__name__)  # noqa: TRY400
