"""Where the tabs lead that Airflow shows beside a task or a run: to the page of what it is about.

A tab's address holds what Airflow knows: DAG, run, task and place in the mapping (plugins/five_precisions_plugin.py).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select, text

from five_precisions.web.access import ASSESSMENT, BULLETIN, COLLECTION, sees_runs
from five_precisions.web.desk import AtDesk, Desk
from five_precisions.web.page import SECURITY_HEADERS, NotThereError

_WHOLE_RUN: Final = {COLLECTION: "reporting", ASSESSMENT: "ranking"}
_NEWEST_DRAFT = text("select max(draft) from notify.shown_draft where quarter = :quarter")
_MAP_INDEX: Final = re.compile(r"-?[0-9]{1,6}")

router = APIRouter(prefix="/tabs", dependencies=[sees_runs(COLLECTION)])


@router.get("/runs/{dag_id}/{run_id}")
def lead_from_run(desk: AtDesk, dag_id: str, run_id: str) -> Response:
    """From a run to its month: who has delivered, the ranking, or the newest draft of its quarter."""
    if dag_id == BULLETIN:
        return _to(_draft_href(desk, _partition_key(dag_id, run_id)))
    if dag_id in _WHOLE_RUN:
        return _to(desk.href(_WHOLE_RUN[dag_id], period=_partition_key(dag_id, run_id)))
    return _to(desk.href("today"))


@router.get("/tasks/{dag_id}/{run_id}/{task_id}/{map_index}")
def lead_from_task(desk: AtDesk, dag_id: str, run_id: str, task_id: str, map_index: str) -> Response:
    """From a row of `collect` to its institution's month; from any other task to what its run is about."""
    if (dag_id, task_id) != (COLLECTION, "collect") or _MAP_INDEX.fullmatch(map_index) is None or int(map_index) < 0:
        return lead_from_run(desk, dag_id, run_id)
    key = _partition_key(dag_id, run_id)
    opened = _opened_institutions(run_id)
    if int(map_index) >= len(opened):
        raise NotThereError("本次运行还没有列出各机构，请稍后再看。")
    return _to(desk.href(f"reporting/{opened[int(map_index)]['institution']}", period=key))


def _draft_href(desk: Desk, quarter: str) -> str:
    """The draft that was shown last of a quarter; while there is none, where the quarter stands."""
    with desk.connect() as connection:
        draft = connection.execute(_NEWEST_DRAFT, {"quarter": quarter}).scalar()
    return desk.href("bulletins", quarter=quarter) if draft is None else desk.href(f"drafts/{quarter}/{draft}")


def _to(address: str) -> Response:
    return RedirectResponse(address, headers=dict(SECURITY_HEADERS))


def _partition_key(dag_id: str, run_id: str) -> str:
    """The run's month or quarter.

    Raises:
        NotThereError: Airflow knows no such run, or it was triggered without one.
    """
    with create_session() as session:
        key = session.scalar(select(DagRun.partition_key).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    if not key:
        raise NotThereError("没有这次运行，或者它不属于任何一个月份。")
    return str(key)


def _opened_institutions(run_id: str) -> list[dict[str, Any]]:
    """What the run's first task has found: the institutions in the order of the rows of `collect`."""
    with create_session() as session:
        value = session.scalar(
            select(XComModel.value).where(
                XComModel.dag_id == COLLECTION,
                XComModel.run_id == run_id,
                XComModel.task_id == "open",
                XComModel.key == "return_value",
            )
        )
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, list) else []
