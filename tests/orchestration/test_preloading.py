"""What Airflow's local settings load beforehand, each in a process of its own, as Airflow's components are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from five_precisions.settings import PREFIX, ROOT

pytestmark = pytest.mark.integration

DESCRIBE = """
import json, sys, threading, warnings
warnings.simplefilter("ignore")
component, path = sys.argv[1:]
sys.argv, sys.path[:0] = ["airflow", component], [path]
import airflow_local_settings
apprise = sys.modules.get("apprise.apprise")
templates = sys.modules.get("five_precisions.templates")
loader = templates.environment().loader if templates else None
print(json.dumps({
    "modules": sorted(sys.modules),
    "mail": type(None).__name__ if apprise is None else apprise.N_MGR["mailto"].__name__,
    "templates": sorted(name for _, name in templates.environment().cache) if templates else [],
    "threads": threading.active_count(),
}))
"""


def loaded_by(component: str, folder: Path, **variables: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", DESCRIBE, component, str(ROOT / "config")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"AIRFLOW_HOME": str(folder)} | {PREFIX + name: value for name, value in variables.items()},
    )
    assert done.returncode == 0, done.stderr
    described: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return described


def orchestration() -> set[str]:
    folder = ROOT / "include" / "five_precisions" / "orchestration"
    return {f"five_precisions.orchestration.{path.stem}" for path in folder.glob("[!_]*.py")}


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """With a setting that is wrong, which each task says: it stops no scheduler."""
    return loaded_by("scheduler", tmp_path_factory.mktemp("scheduler"), SETTLE_SECONDS="soon")


def test_the_scheduler_has_what_each_task_would_load(scheduler: dict[str, Any]) -> None:
    wanted = {"great_expectations", "python_calamine", "chinese_calendar", "xlsxwriter"}
    assert len(orchestration()) > 10
    assert orchestration() | wanted <= set(scheduler["modules"])
    assert scheduler["mail"] == "FoldedMail"
    assert {"mail/receipt.html", "mail/findings.html", "mail/notice.html"} <= set(scheduler["templates"])


def test_nothing_that_a_fork_would_lose_is_begun(scheduler: dict[str, Any]) -> None:
    assert scheduler["threads"] == 1
    assert "vl_convert" not in scheduler["modules"]


def test_the_dag_processor_has_what_dag_files_import(tmp_path: Path) -> None:
    loaded = loaded_by("dag-processor", tmp_path)
    assert orchestration() - {"five_precisions.orchestration.preloading"} <= set(loaded["modules"])
    assert "great_expectations" not in loaded["modules"]


def test_other_components_load_nothing_of_it(tmp_path: Path) -> None:
    loaded = loaded_by("api-server", tmp_path)
    assert orchestration().isdisjoint(loaded["modules"])
