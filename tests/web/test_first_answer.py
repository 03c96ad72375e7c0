"""Of several answers to one approval the first stands, and the others are told who was first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from five_precisions.settings import PREFIX, ROOT

pytestmark = pytest.mark.integration


def answers(folder: Path, database_url: str) -> dict[str, Any]:
    """What became of the answers, on an Airflow of its own."""
    url = make_url(database_url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "AIRFLOW"))}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-tests-" * 5,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
    }
    script = Path(__file__).with_name("answer_at_once.py")
    found = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    shown: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return shown


def test_of_three_answers_at_once_the_first_stands_and_the_others_are_told(
    empty_database_url: str, tmp_path: Path
) -> None:
    shown = answers(tmp_path, empty_database_url)
    assert sorted(each["status"] for each in shown["at_once"]) == [200, 409, 409]
    [first] = [each for each in shown["at_once"] if each["status"] == 200]
    decided = {"Approve": "批准", "Reject": "退回"}[first["answer"]["chosen_options"][0]]
    for late in (*(each for each in shown["at_once"] if each["status"] == 409), shown["later"]):
        assert late["status"] == 409
        assert list(late["answer"]) == ["detail"]
        assert late["answer"]["detail"].startswith(f"{first['person']}已于20")
        assert f"先作出决定（{decided}），以第一次的决定为准" in late["answer"]["detail"]
    # Airflow has one answer on record, and goes on with the same.
    assert (shown["kept"]["person"], shown["kept"]["state"]) == (first["person"], "scheduled")
    assert shown["kept"]["options"] == first["answer"]["chosen_options"]
    assert first["person"] in shown["kept"]["event"]
    # Airflow's other refusals are as they were.
    assert shown["no_such_task"]["status"] == 404
    assert "was not found" in shown["no_such_task"]["answer"]["detail"]

    # What is cleared is decided anew, by whomever.
    assert (shown["cleared"]["person"], shown["cleared"]["options"]) == (None, None)
    assert shown["again"]["status"] == 200
    assert (shown["kept_then"]["person"], shown["kept_then"]["options"]) == ("张科长", ["Reject"])
