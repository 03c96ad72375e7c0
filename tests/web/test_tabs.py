"""The tabs beside Airflow's runs and tasks lead to the month or the quarter that they are about.

That a row of `collect` leads to its institution is seen in a browser (tests/browser/test_desk.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete, text

from five_precisions.settings import Settings
from tests.web.conftest import PREFIX, Login

TABS = f"{PREFIX}/tabs"
RUNS = {"monthly_collection": "2019-06", "monthly_assessment": "2019-06", "quarterly_bulletin": "2019-Q2"}

_RUN = (
    "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, scorecard_version, "
    "code_version, current) values ('2019-06-r1', '2019-06', 1, now(), 'x', '1', '1', '1', true)"
)
_DRAFT = (
    "insert into notify.shown_draft (quarter, draft, digest, title, run_id, checks) "
    "values (:quarter, :draft, 'x', '关于2019年第二季度的通报', '2019-06-r1', '{}')"
)


@pytest.fixture
def viewer(api_server: FastAPI, engine: Engine, settings: Settings, login: Login) -> Iterator[TestClient]:
    """Somebody who sees a run of each DAG that has a month or a quarter, and one that has none."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    with create_session() as session:
        for dag, key in (*RUNS.items(), ("late_submissions", None)):
            run = DagRun(dag_id=dag, run_id=f"run:{dag}+1", run_type=DagRunType.MANUAL)
            run.partition_key = key
            session.add(run)
    yield login("viewer")
    with create_session() as session:
        session.execute(delete(DagRun))


def leads_to(viewer: TestClient, path: str) -> str:
    answer = viewer.get(f"{TABS}/{path}")
    assert answer.status_code == 307, answer.text
    return str(answer.headers["location"])


def test_a_run_leads_to_its_month_or_quarter(viewer: TestClient) -> None:
    places = {dag: leads_to(viewer, f"runs/{dag}/run%3A{dag}%2B1") for dag in RUNS}
    assert places == {
        "monthly_collection": f"{PREFIX}/reporting?period=2019-06",
        "monthly_assessment": f"{PREFIX}/ranking?period=2019-06",
        "quarterly_bulletin": f"{PREFIX}/bulletins?quarter=2019-Q2",
    }
    assert leads_to(viewer, "runs/late_submissions/run%3Alate_submissions%2B1") == f"{PREFIX}/today"


def test_a_run_of_a_bulletin_leads_to_the_draft_that_was_shown_last(viewer: TestClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into registry.period values ('2019-06', now())"))
        connection.execute(text(_RUN))
        for quarter, draft in (("2019-Q2", 1), ("2019-Q2", 10), ("2019-Q2", 9), ("2019-Q1", 11)):
            connection.execute(text(_DRAFT), {"quarter": quarter, "draft": draft})
    address = f"{PREFIX}/drafts/2019-Q2/10"
    run = "quarterly_bulletin/run%3Aquarterly_bulletin%2B1"
    assert leads_to(viewer, f"runs/{run}") == address
    assert leads_to(viewer, f"tasks/{run}/approve/-1") == address
    assert viewer.get(address).status_code == 200


def test_what_is_no_row_of_an_institution_leads_to_the_month(viewer: TestClient) -> None:
    row = "tasks/monthly_collection/run%3Amonthly_collection%2B1/collect"
    assert leads_to(viewer, f"{row}/-1") == f"{PREFIX}/reporting?period=2019-06"
    assert leads_to(viewer, f"{row}/{{MAP_INDEX}}") == f"{PREFIX}/reporting?period=2019-06"
    other = "tasks/monthly_assessment/run%3Amonthly_assessment%2B1/assess/-1"
    assert leads_to(viewer, other) == f"{PREFIX}/ranking?period=2019-06"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tasks/monthly_collection/run%3Amonthly_collection%2B1/collect/0", "本次运行还没有列出各机构"),
        ("runs/monthly_collection/nonsense", "没有这次运行"),
        ("tasks/monthly_collection/nonsense/collect/0", "没有这次运行"),
    ],
)
def test_what_is_not_there_says_so(viewer: TestClient, path: str, words: str) -> None:
    answer = viewer.get(f"{TABS}/{path}")
    assert answer.status_code == 404
    assert words in answer.text
