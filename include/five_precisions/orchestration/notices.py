"""Telling ops that a run failed: one message a run, through the Apprise provider, outside the outbox.

The warehouse may be what failed, so this message does not go by way of it (spec/05, Messages).
"""

from __future__ import annotations

from airflow.providers.apprise.notifications.apprise import AppriseNotifier
from apprise import NotifyType

CONNECTION = "apprise_default"
"""The Airflow connection that says where ops are told; its `config` is described in the provider's documentation."""


def failure_notice() -> AppriseNotifier:
    """The notice of a DAG run that failed; set as `on_failure_callback` of a DAG, it is sent once a run."""
    return AppriseNotifier(
        apprise_conn_id=CONNECTION,
        notify_type=NotifyType.FAILURE,
        title="[five-precisions] {{ dag.dag_id }} {{ dag_run.partition_key }} failed",
        body=(
            "The run {{ run_id }} of {{ dag.dag_id }} for {{ dag_run.partition_key }} failed. "
            "Open it in Airflow: the red tasks' logs end with one sentence that says what to do."
        ),
    )
