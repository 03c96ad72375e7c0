"""Answers one approval thrice at once, by Airflow's real API server on PostgreSQL; prints what became of it, as JSON.

The rows are locked until all three wait for them: so each has looked before any has written.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import uuid6
import uvicorn
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.execution_api.datamodels.hitl import HITLDetailRequest
from airflow.api_fastapi.execution_api.routes.hitl import upsert_hitl_detail
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.timezone import utcnow
from airflow.settings import engine
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType
from sqlalchemy import insert, text

RUN = "manual__2026-11-30T08:00:00+00:00"
PEOPLE = {"王科长": "Approve", "李科长": "Reject", "张科长": "Reject"}
SECONDS = 120
WAITING = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")


def make_approval() -> UUID:
    """A task that waits for an answer, as the worker leaves it."""
    task = uuid6.uuid7()
    with create_session() as session:
        session.add(
            DagRun(
                dag_id="quarterly_bulletin",
                run_id=RUN,
                run_type=DagRunType.MANUAL,
                run_after=utcnow(),
                state=DagRunState.RUNNING,
            )
        )
        session.flush()
        session.execute(
            insert(TaskInstance).values(
                id=task,
                dag_id="quarterly_bulletin",
                run_id=RUN,
                task_id="approve",
                map_index=-1,
                state="awaiting_input",
                pool="default_pool",
                pool_slots=1,
                queue="default",
                try_number=1,
            )
        )
        session.add(
            HITLDetail(ti_id=task, options=["Approve", "Reject"], subject="稿", params={}, multiple=False, assignees=[])
        )
    return task


def serve() -> str:
    """Start the API server with our plugin; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(apps="core"), port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    until = time.monotonic() + SECONDS
    while not server.started:
        assert time.monotonic() < until, "the API server does not come up"
        time.sleep(0.1)
    return f"http://127.0.0.1:{port}"


def answer(url: str, person: str, map_index: int = -1) -> dict[str, Any]:
    """What one person is told."""
    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=person, role="admin"))
    path = f"/api/v2/dags/quarterly_bulletin/dagRuns/{quote(RUN)}/taskInstances/approve/{map_index}/hitlDetails"
    given = httpx.patch(
        url + path,
        headers={"Authorization": f"Bearer {token}"},
        json={"chosen_options": [PEOPLE[person]], "params_input": {}},
        timeout=SECONDS,
    )
    return {"person": person, "status": given.status_code, "answer": given.json()}


def answer_at_once(url: str, task: UUID) -> list[dict[str, Any]]:
    """What each is told where all three have asked before the first was answered."""
    with ThreadPoolExecutor(len(PEOPLE)) as pool, engine.connect() as lock:
        lock.execute(text("select from task_instance where id = :id for update"), {"id": task})
        asked = [pool.submit(answer, url, person) for person in PEOPLE]
        until = time.monotonic() + SECONDS
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
            while watch.execute(WAITING).scalar_one() < len(PEOPLE):
                assert time.monotonic() < until, "not all of them wait"
                time.sleep(0.05)
        lock.rollback()
        return [each.result() for each in asked]


def kept(task: UUID) -> dict[str, Any]:
    """What Airflow has on record, and with what it goes on."""
    with create_session() as session:
        detail = session.get(HITLDetail, task)
        assert detail is not None
        row = session.execute(text("select state, next_kwargs from task_instance where id = :id"), {"id": task}).one()
        person = (detail.responded_by or {}).get("name")
        return {
            "person": person,
            "options": detail.chosen_options,
            "state": row.state,
            "event": json.dumps(row.next_kwargs, ensure_ascii=False),
        }


def clear(task: UUID) -> None:
    """What a worker does first when the task was cleared."""
    with create_session() as session:
        payload = HITLDetailRequest(ti_id=task, options=["Approve", "Reject"], subject="稿", params={})
        upsert_hitl_detail(task, payload, session)
        session.execute(
            text("update task_instance set state = 'awaiting_input', next_kwargs = null where id = :id"), {"id": task}
        )


def main() -> None:
    initdb()
    task, url = make_approval(), serve()
    shown: dict[str, Any] = {"at_once": answer_at_once(url, task), "kept": kept(task)}
    shown["later"] = answer(url, "王科长")
    shown["no_such_task"] = answer(url, "王科长", 7)
    clear(task)
    shown["cleared"] = kept(task)
    shown["again"] = answer(url, "张科长")
    shown["kept_then"] = kept(task)
    sys.stdout.write("\n" + json.dumps(shown, default=str) + "\n")


if __name__ == "__main__":
    main()
