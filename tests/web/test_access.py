"""Every route asks who is there: viewers see, ops act, nobody else gets anything; under both auth managers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from five_precisions.period import Period
from five_precisions.register import open_period
from five_precisions.settings import PREFIX as ENVIRONMENT
from five_precisions.settings import ROOT, Settings
from five_precisions.web.access import FROM_ELSEWHERE
from tests.web.all_routes import ACTS, SEES, ask_all, routes, wrong_answers
from tests.web.conftest import PREFIX, Login

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


def test_every_answer_says_what_a_browser_may_do_with_it(golden_copy: Settings, login: Login) -> None:
    assert golden_copy
    admin = login("admin")
    pages = []
    for method, address in routes():
        if method == "POST":
            continue
        answer = admin.get(address)
        is_asset = address.startswith(f"{PREFIX}/assets/")
        kept = "private, max-age=31536000, immutable" if is_asset else "private, no-store"
        assert answer.headers["cache-control"] == kept, address
        assert answer.headers["x-content-type-options"] == "nosniff", address
        if answer.headers.get("content-type", "").startswith("text/html"):
            policy = policy_of(answer.headers["content-security-policy"])
            assert policy["default-src"] == ["'none'"], address
            assert {"'unsafe-inline'", "'unsafe-eval'", "*"}.isdisjoint(policy.get("script-src", [])), address
            assert policy["frame-ancestors"] == ["'self'"], address
            # Only a document that is shown without its scripts styles its elements in place.
            assert "sandbox" in policy or policy["style-src"] == ["'self'"], address
            assert not re.search(r"<script(?![^>]* src=)|<[^>]* on[a-z]+=", answer.text), address
            pages.append(answer.status_code)
    assert pages.count(200) >= 15


def policy_of(header: str) -> dict[str, list[str]]:
    """The directives of a Content-Security-Policy."""
    directives = [each.split() for each in header.split(";")]
    return {name: sources for name, *sources in directives}


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}])
def test_no_form_is_taken_from_another_site(
    register_saved_engine: Engine, settings: Settings, login: Login, headers: dict[str, str]
) -> None:
    with register_saved_engine.begin() as connection:
        open_period(connection, settings, Period(2019, 6))
    admin = login("admin")
    forms = [address for method, address in routes() if method == "POST"]
    assert len(forms) >= 8
    refused = {address: admin.post(address, headers=headers) for address in forms}
    assert {address: answer.status_code for address, answer in refused.items()} == dict.fromkeys(forms, 403)
    for address, answer in refused.items():
        assert FROM_ELSEWHERE in answer.text, address
    own = {"Sec-Fetch-Site": "same-origin"}
    assert 403 not in {admin.post(address, headers=own).status_code for address in forms}


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
