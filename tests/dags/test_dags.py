"""The DAG files as Airflow reads them: they parse, they wire, and they keep to the house's rules (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from five_precisions.settings import PREFIX, ROOT
from five_precisions_docs import REFERENCE
from five_precisions_docs.dags import dags_page, read_dags

pytestmark = pytest.mark.integration

DAGS = ROOT / "dags"
WANTED = {
    "monthly_collection", "monthly_assessment", "quarterly_bulletin", "daily_reminders", "late_submissions",
    "restatement", "housekeeping",
}  # fmt: skip
LONGEST_FILE = 110
"""Lines: a DAG file fits on a screen or two (docs/architecture.md#dags)."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    replay = {PREFIX + "FIRST_PERIOD": "2019-01", PREFIX + "LAST_PERIOD": "2019-06"}
    return read_dags(tmp_path_factory.mktemp("dags"), **replay)


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """In a replay, without a first or last period."""
    return read_dags(tmp_path_factory.mktemp("replaying"), **{PREFIX + "REPLAY": "true"})


def test_every_file_gives_one_dag_of_its_name(described: dict[str, Any]) -> None:
    assert described["import_errors"] == {}
    files = sorted(path.name for path in DAGS.glob("*.py"))
    assert set(described["dags"]) >= WANTED
    assert sorted(dag["file"] for dag in described["dags"].values()) == files
    assert sorted(f"{dag_id}.py" for dag_id in described["dags"]) == files


def test_the_page_of_the_dags_says_what_airflow_reads(described: dict[str, Any]) -> None:
    committed = (REFERENCE / "dags.md").read_text(encoding="utf-8")
    assert committed == dags_page(described["dags"]), "a DAG file has changed; run: make docs"


def test_a_timetable_without_words_is_refused(described: dict[str, Any]) -> None:
    unknown = described["dags"]["restatement"] | {"schedule": "EventsTimetable"}
    with pytest.raises(LookupError, match="no words for the timetable EventsTimetable"):
        dags_page({"restatement": unknown})


def test_every_dag_says_what_when_and_what_to_do(described: dict[str, Any]) -> None:
    for dag_id, dag in described["dags"].items():
        assert "**What.**" in dag["doc_md"], dag_id
        assert "**When.**" in dag["doc_md"], dag_id
        assert " is red.**" in dag["doc_md"], dag_id
        assert "five-precisions" in dag["tags"], dag_id
        assert dag["display_name"] != dag_id
        assert len(dag["description"]) > 20, dag_id
        assert dag["max_active_runs"] < 16, f"{dag_id} leaves Airflow's default"
        assert dag["failure_callbacks"] == ["RunSummary"], dag_id


def test_every_task_has_an_owner_and_knows_what_to_try_again(described: dict[str, Any]) -> None:
    tasks = [(task_id, task) for dag in described["dags"].values() for task_id, task in dag["tasks"].items()]
    assert len(tasks) >= 10
    for task_id, task in tasks:
        assert task["owner"] == "five-precisions", task_id
        assert task["retries"] >= 2, task_id
        assert task["policy"] == "ExceptionRetryPolicy", task_id
        # A bulletin's whole text, a list of all addresses: the log is for the story.
        assert task["logs_what_it_returns"] is False, task_id
        assert task["display_name"] != task_id


def test_parsing_imports_nothing_heavy(described: dict[str, Any]) -> None:
    assert described["heavy"] == []


def test_months_go_in_order_and_hand_on_their_partition(described: dict[str, Any]) -> None:
    collection = described["dags"]["monthly_collection"]
    assert (collection["schedule"], collection["catchup"], collection["max_active_runs"]) == (
        "CronPartitionTimetable", True, 1,
    )  # fmt: skip
    assert (collection["start_date"], collection["end_date"]) == (
        "2019-01-31T16:00:00+00:00",
        "2019-06-30T16:00:00+00:00",
    )
    assert collection["tasks"]["collect"]["map_index_template"] == "{{ institution }}"
    assert collection["tasks"]["close"]["trigger_rule"].upper().endswith("ALL_DONE")
    producers = {
        asset: (dag_id, task_id)
        for dag_id, dag in described["dags"].items()
        for task_id, task in dag["tasks"].items()
        for asset in task["outlets"]
    }
    assert producers == {
        "submissions": ("monthly_collection", "close"),
        "assessment": ("monthly_assessment", "assess"),
    }
    for dag_id in ("monthly_assessment", "quarterly_bulletin"):
        assert described["dags"][dag_id]["schedule"] == "PartitionedAssetTimetable"


def test_in_housekeeping_only_the_tried_restore_waits_for_another(described: dict[str, Any]) -> None:
    tasks = described["dags"]["housekeeping"]["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items() if task["upstream"]} == {"restore_test": ["backup"]}


def test_nothing_leaves_before_the_approval(described: dict[str, Any]) -> None:
    tasks = described["dags"]["quarterly_bulletin"]["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "render": [],
        "approve": ["render"],
        "post": ["approve"],
        "deliver": ["post"],
    }


def test_nothing_is_restated_before_the_approval(described: dict[str, Any]) -> None:
    restatement = described["dags"]["restatement"]
    assert {name: task["upstream"] for name, task in restatement["tasks"].items()} == {
        "preview": [],
        "approve": ["preview"],
        "restate": ["approve"],
        "notify": ["restate"],
    }
    # A bulletin that went out is not issued again by itself.
    assert not [asset for task in restatement["tasks"].values() for asset in task["outlets"]]
    assert (restatement["schedule"], restatement["catchup"]) == ("NullTimetable", False)
    assert {name: param["pattern"] for name, param in restatement["params"].items()} == {
        "period": "^2[0-9]{3}-(0[1-9]|1[0-2])$",
        "reason": r"\S",
    }


def test_without_a_first_period_the_last_month_is_collected(replaying: dict[str, Any]) -> None:
    collection = replaying["dags"]["monthly_collection"]
    assert collection["end_date"] is None
    assert collection["start_date"] is not None


@pytest.mark.parametrize(
    ("dag_id", "tasks", "expression"),
    [
        ("daily_reminders", ["remind"], "0 9 * * *"),
        ("late_submissions", ["take_in"], "20 * * * *"),
        (
            "housekeeping",
            ["airflow_clean", "backup", "disk", "partitions", "restore_test", "retention"],
            "0 2 * * *",
        ),
    ],
)
def test_what_goes_by_the_clock_makes_up_for_nothing(
    described: dict[str, Any], dag_id: str, tasks: list[str], expression: str
) -> None:
    dag = described["dags"][dag_id]
    assert (dag["schedule"], dag["expression"]) == ("CronTriggerTimetable", expression)
    assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)
    assert sorted(dag["tasks"]) == tasks


def test_in_a_replay_nothing_goes_by_the_clock(replaying: dict[str, Any]) -> None:
    schedules = {dag_id: replaying["dags"][dag_id]["schedule"] for dag_id in WANTED}
    assert [dag_id for dag_id in sorted(WANTED) if schedules[dag_id] == "NullTimetable"] == [
        "daily_reminders", "housekeeping", "late_submissions", "restatement",
    ]  # fmt: skip


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.stem)
def test_a_dag_file_only_wires(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    tree = ast.parse(text)
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"__future__", "airflow", "datetime", "typing", "five_precisions"}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        assert len(function.body) == 1, f"{function.name} is one line into the package"
        assert isinstance(function.body[0], ast.Return)
