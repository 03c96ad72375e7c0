"""Every route asks who is there: viewers see, ops act, nobody else gets anything; under both auth managers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from five_precisions.settings import PREFIX as ENVIRONMENT
from five_precisions.settings import ROOT, Settings
from tests.web.all_routes import ACTS, SEES, ask_all, routes, wrong_answers
from tests.web.conftest import Login

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


def test_there_are_routes_to_see_and_to_act() -> None:
    methods = [method for method, _ in routes()]
    assert methods.count("GET") >= 20
    assert methods.count("POST") >= 8
    assert set(methods) == {"GET", "POST"}


def test_what_is_wrong_is_found() -> None:
    right = dict.fromkeys(SEES, 200) | {"none": 403, "stranger": 401}
    assert wrong_answers({"GET /a": right}) == []
    assert wrong_answers({"POST /a": right}) == ["POST /a: viewer gets 200", "POST /a: user gets 200"]
    assert wrong_answers({"GET /a": {"viewer": 500, "stranger": 200}}) != []


def test_each_role_gets_what_is_its_own(golden_copy: Settings, login: Login, stranger: TestClient) -> None:
    browsers = {role: login(role) for role in SEES}
    browsers |= {"none": login(None), "stranger": stranger}
    answers = ask_all(browsers)
    assert len(answers) == len(list(routes()))
    assert wrong_answers(answers) == []


def test_a_person_who_is_not_logged_in_is_led_to_the_login(stranger: TestClient) -> None:
    for method, address in routes():
        answer = stranger.request(method, address)
        # What was to be sent is not sent again after the login.
        assert answer.status_code == (307 if method == "GET" else 303), address
        assert answer.headers["location"].startswith("/api/v2/auth/login?next="), address


@pytest.mark.integration
def test_so_it_is_under_the_auth_manager_of_production(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-tests-" * 5,
        "PYTHONPATH": str(ROOT),
    }
    assert environment[ENVIRONMENT + "WAREHOUSE"] == settings.warehouse
    script = Path(__file__).with_name("walk_with_fab.py")
    found = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-3000:]
    answers = json.loads(found.stdout.splitlines()[-1])
    assert len(answers) == len(list(routes()))
    assert {role for by_role in answers.values() for role in by_role} == {*SEES, "none", "stranger"}
    assert wrong_answers(answers) == []
    assert set(ACTS) < set(SEES)
