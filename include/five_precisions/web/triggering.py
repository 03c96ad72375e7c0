"""Runs of Airflow that ops start from a page: once a form, by whoever may trigger the DAG (docs/desk.md#actions)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from airflow.api.common.trigger_dag import trigger_dag
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.exceptions import DagNotFound, DagRunAlreadyExists
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select

from five_precisions.web.actions import FormError

logger = logging.getLogger(__name__)

_OPEN: Final = (DagRunState.QUEUED, DagRunState.RUNNING)
_NAME_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run of Airflow that is not over."""

    dag_id: str
    run_id: str
    partition_key: str | None = None
    conf: Mapping[str, Any] = field(default_factory=dict)

    @property
    def href(self) -> str:
        """Its page, below Airflow's own address."""
        return f"dags/{self.dag_id}/runs/{self.run_id}"


def open_runs(dag_id: str) -> list[OpenRun]:
    """The runs of a DAG that wait or are under way, the oldest first."""
    wanted = select(DagRun.run_id, DagRun.partition_key, DagRun.conf).where(
        DagRun.dag_id == dag_id, DagRun.state.in_(_OPEN)
    )
    with create_session() as session:
        rows = session.execute(wanted.order_by(DagRun.id)).all()
    return [OpenRun(dag_id, row.run_id, row.partition_key, row.conf or {}) for row in rows]


def require_triggerable(dag_id: str, words: str) -> bool:
    """Whether a run would begin at once: a DAG that is paused keeps it waiting.

    Args:
        dag_id: Of the DAG.
        words: What it is called.

    Raises:
        FormError: Airflow has no such DAG, or cannot read its file.
    """
    with create_session() as session:
        model = session.get(DagModel, dag_id)
        if model is None or model.is_stale or model.has_import_errors:
            raise FormError({"": f"Airflow 现在没有可用的“{words}”任务，没有执行；请与运维人员联系。"})
        return not model.is_paused


def run_name(key: str) -> str:
    """The run that a form starts: sent twice, it names the same one."""
    return f"desk__{hashlib.sha256(key.encode()).hexdigest()[:_NAME_DIGITS]}"


def start_run(
    dag_id: str,
    user: BaseUser,
    key: str,
    *,
    conf: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
) -> None:
    """Start a run in the user's name, once for each form.

    Args:
        dag_id: Of the DAG.
        user: Who asks for it.
        key: Of the form; the run is named by it.
        conf: Its parameters.
        partition_key: Its month or quarter.

    Raises:
        FormError: Airflow refuses it.
    """
    try:
        trigger_dag(
            dag_id,
            triggered_by=DagRunTriggeredByType.UI,
            triggering_user_name=user.get_name(),
            run_id=run_name(key),
            conf=dict(conf or {}),
            partition_key=partition_key,
        )
    except DagRunAlreadyExists:
        # The form started it before; only its record was lost.
        logger.info("%s of %s is there already", run_name(key), dag_id)
    except (DagNotFound, ValueError) as error:
        logger.error("%s was not triggered: %s", dag_id, error)  # noqa: TRY400 - Airflow's words, not a failure of ours
        raise FormError({"": "Airflow 没有接受这次运行，没有执行；原因记在 API 服务器的日志里。"}) from None
