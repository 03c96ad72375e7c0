"""Runs `restatement` by `dag.test()` on an Airflow in AIRFLOW_HOME, and answers its approval as the API does.

Takes a list of runs as JSON: `conf`, and `answer` (`Approve` or `Reject`). Prints each run's states as JSON, with what
was shown. After the first of them a run `open` waits all the while.

An answer waits until `dag.test()` has left the task: leaving it, Airflow 3.3.2 writes the task's state once more. An
answer given in between would be lost, and the run would wait for it without end.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import sys
import threading
import time
from typing import Any

import airflow.sdk.definitions.dag
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
from airflow.configuration import conf
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.timezone import utcnow
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunType
from sqlalchemy import select

NAME = "restatement"
MOST_SECONDS = 240
"""After which the process ends by itself and says where it stood. The test is ended after 300."""

_run_task = airflow.sdk.definitions.dag._run_task
_running = threading.Lock()


def run_task(**arguments: Any) -> Any:
    with _running:
        return _run_task(**arguments)


def answer_when_asked(answer: str, shown: dict[str, str], ended: threading.Event) -> None:
    """Answer the approval that waits, as a person named 王科长."""
    while not ended.is_set():
        with _running, create_session() as session:
            waiting = session.scalar(
                select(TaskInstance).where(
                    TaskInstance.dag_id == NAME, TaskInstance.state == TaskInstanceState.AWAITING_INPUT
                )
            )
            if waiting is not None:
                detail = session.scalars(select(HITLDetail).where(HITLDetail.ti_id == waiting.id)).unique().one()
                shown.update(subject=detail.subject, body=detail.body)
                update_hitl_detail(
                    dag_id=NAME,
                    dag_run_id=waiting.run_id,
                    task_id=waiting.task_id,
                    update_hitl_detail_payload=UpdateHITLDetailPayload(chosen_options=[answer], params_input={}),
                    user=SimpleAuthManagerUser(username="王科长", role="admin"),
                    session=session,
                )
                return
        time.sleep(0.3)


def main(runs: list[dict[str, object]]) -> None:
    faulthandler.dump_traceback_later(MOST_SECONDS, exit=True)
    airflow.sdk.definitions.dag._run_task = run_task
    initdb()
    spec = importlib.util.spec_from_file_location(NAME, f"{conf.get('core', 'dags_folder')}/{NAME}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    states: list[dict[str, object]] = []
    for number, each in enumerate(runs):
        shown: dict[str, str] = {}
        ended = threading.Event()
        person = threading.Thread(target=answer_when_asked, args=(each["answer"], shown, ended))
        person.start()
        run = module.dag.test(run_conf=each["conf"])
        ended.set()
        person.join()
        tasks = {task.task_id: str(task.state) for task in run.get_task_instances()}
        states.append(tasks | {NAME: str(run.state), "shown": shown})
        if number == 0:
            with create_session() as session:
                session.add(
                    DagRun(
                        dag_id=NAME,
                        run_id="open",
                        run_type=DagRunType.MANUAL,
                        run_after=utcnow(),
                        state=DagRunState.RUNNING,
                    )
                )
    sys.stdout.write("\n" + json.dumps(states) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
