"""When a monthly run is late, as Airflow reckons it from our DAG files (docs/operations.md#a-run-that-is-late)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from five_precisions.period import Period
from five_precisions.register import deadline_of
from five_precisions.settings import PREFIX, ROOT

pytestmark = pytest.mark.integration

LONG_AGO, OPEN = "2019-06", str(Period.current())


def make_runs(folder: Path, *months: str, **variables: str) -> dict[str, Any]:
    """What Airflow knows of runs of these months, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "AIRFLOW"))}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        PREFIX + "VAR": str(folder / "var"),
        **variables,
    }
    script = Path(__file__).with_name("make_runs.py")
    found = subprocess.run(
        [sys.executable, script, *months], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    made: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    assert made["import_errors"] == {}
    assert len(made["runs"]) == 2 * len(months)
    return made


def test_a_monthly_run_is_late_hours_after_it_was_due(tmp_path: Path) -> None:
    made = make_runs(tmp_path, LONG_AGO, OPEN)
    late = {
        (run["dag"], run["month"]): [datetime.fromisoformat(each) for each in run["late_at"]] for run in made["runs"]
    }
    began = {(run["dag"], run["month"]): datetime.fromisoformat(run["made"]) for run in made["runs"]}
    assert [len(each) for each in late.values()] == [1, 1, 1, 1]
    # A month that is collected after its deadline has hours from now on.
    old = late["monthly_collection", LONG_AGO][0] - began["monthly_collection", LONG_AGO]
    assert abs(old - timedelta(hours=6)) < timedelta(minutes=5)
    deadline = deadline_of(Period.parse(OPEN), {})
    assert late["monthly_collection", OPEN] == [deadline + timedelta(hours=6)]
    for month in (LONG_AGO, OPEN):
        assessment = late["monthly_assessment", month][0] - began["monthly_assessment", month]
        assert abs(assessment - timedelta(hours=3)) < timedelta(minutes=5)
    # What the triggerer is then given to run.
    assert {callback["path"].rpartition(".")[2] for callback in made["missed"]} == {
        "notify_of_late_run",
        "notify_of_open_month",
    }
    for callback in made["missed"]:
        assert callback["path"].startswith("five_precisions.orchestration.deadline_alerts.")
        assert callback["kwargs"]["context"]["dag_run"]["partition_key"] == OPEN


def test_in_a_replay_no_run_is_late(tmp_path: Path) -> None:
    made = make_runs(tmp_path, LONG_AGO, **{PREFIX + "REPLAY": "true"})
    assert [run["late_at"] for run in made["runs"]] == [[], []]
    assert made["missed"] == []
