"""`declare check`: every mistake of what is declared is named, and a new form says what it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from five_precisions.own_files import SHIPPED, VARIABLE
from five_precisions.settings import PREFIX
from tests.command_line import Result, run
from tests.warehouse.test_own_migrations import TRAINING

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("declare check")]

SUITE = {
    "name": "training",
    "expectations": [
        {
            "type": "expect_column_values_to_be_unique",
            "kwargs": {"column": "key"},
            "severity": "critical",
            "meta": {"rule": "K01", "column": "household_no", "message": "户编号重复。"},
        }
    ],
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def put(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def shipped(name: str) -> str:
    return (SHIPPED / name).read_text(encoding="utf-8")


def mistakes(result: Result) -> list[str]:
    """One sentence a line, and nothing else beside remarks."""
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    return [line for line in result.stderr.splitlines() if not line.startswith("There is no warehouse")]


def test_ours_hold_and_are_counted() -> None:
    checked = run("declare", "check")
    assert checked.returncode == 0, checked.stderr
    counted = {line[:32].strip(): line[32:].split() for line in checked.stdout.splitlines()}
    assert counted["alerts"] == ["18"]
    assert int(counted["metrics"][0]) > 70
    listed = json.loads(run("declare", "check", "--json").stdout)
    assert (listed["mistakes"], listed["counted"][0]) == ([], {"what": "reports", "count": 11, "own": []})


def test_every_mistake_of_every_file_is_named_at_once(own: Path) -> None:
    suite = json.loads(shipped("expectations/visits.json"))
    suite["expectations"][0]["meta"]["column"] = "nobody"
    put(
        own,
        {
            "target.yaml": "",
            "sql/alert/a05.sql": "",
            "boards.yaml": "bank_none: {scope: bank, metric: none}\n",
            "rates.csv": "from,up_to_months\n",
            "leads.yaml": shipped("reference/leads.yaml").replace(": ", ": -", 1).replace(": ", ": x", 1)
            + "\nnew: 1\n",
            "scheme.yaml": shipped("reference/scheme.yaml").replace("growth: 20", "growth: 1e400"),
            "indicators.yaml": shipped("reference/indicators.yaml").replace("metric: match_rate", "metric: matchrate"),
            "expectations/visits.json": json.dumps(suite),
            "expectations/grid.json": "{",
            "sql/alerts/a05.sql": "-- rule: A05\nselect 1",
            "sql/alerts/a06.sql": shipped("sql/alerts/a06.sql").replace("needs: {", "needs: {nothing: own, "),
            "sql/checks/x01.sql": shipped("sql/checks/x01.sql").replace("report: ", "report: no_", 1),
            "sql/metrics/mine.sql": "select 1",
            "templates/mail/receipt.html": "{% if %}",
            "templates/bulletin/overview.txt": "{{ a | nofilter }}",
            "templates/bulletin/bulletin.typ": "#let",
        },
    )
    found = mistakes(run("declare", "check"))
    wanted = [
        "target.yaml would not count",
        "alert would not count; do you mean sql/alerts?",
        "boards.yaml is wrong at bank_none",
        "rates.csv lacks the column rate",
        "leads.yaml ",
        "scheme.yaml is wrong at versions.0.weights.growth, line ",
        "The indicator matching names the metric matchrate",
        "visits.json is wrong at expectations.0: no such column: nobody.",
        "grid.json is no JSON of a suite",
        "a05.sql does not say in its head comment what its rows mean.",
        "a06.sql is wrong at its head comment: no such report: nothing.",
        "x01.sql is wrong at its head comment",
        "mine.sql is the statement of no metric",
        "receipt.html cannot be used, line 1: ",
        "overview.txt cannot be used, line 1: No filter named 'nofilter'.",
        "bulletin.typ does not set the bulletin",
    ]
    assert [each for each in wanted if not any(each in sentence for sentence in found)] == [], "\n".join(found)
    assert len(found) >= len(wanted)
    assert all(sentence.endswith((".", "?")) for sentence in found), found


def test_a_statement_is_held_against_postgresql(own: Path) -> None:
    put(
        own,
        {
            "metrics.yaml": shipped("reference/metrics.yaml")
            + "\nmine:\n  name: 一\n  unit: 万元\n  formula: 一\n  sql: [metrics/mine]\n  evidence: [evidence/mine]\n"
            "  scopes: [city]\n"
            "other:\n  name: 二\n  unit: 笔\n  formula: 二\n  sql: [facts/loans]\n"
            "  value: {count: rows, where: balanse > 0}\n  scopes: [city]\n",
            "sql/metrics/mine.sql": "select 'city' as scope, :town as scope_code, 'mine' as metric",
            "sql/evidence/mine.sql": "select 'loans' as report from loans",
            "sql/alerts/a05.sql": shipped("sql/alerts/a05.sql").replace(" as measure", " as measured"),
            "sql/checks/x02.sql": shipped("sql/checks/x02.sql").replace("core.", "cores."),
            "sql/assessment/indicators/visits.sql": "select 1",
        },
    )
    found = mistakes(run("declare", "check"))
    assert len(found) == 6, found
    assert found[0].startswith("The statement of rule X02 does not run: ")
    assert found[1].startswith("metrics.yaml is wrong at other, made from facts/loans: ")
    assert "balanse" in found[1]
    assert found[2] == f"{own / 'sql/metrics/mine.sql'} binds :town, which no run has."
    assert found[3].startswith(f"{own / 'sql/evidence/mine.sql'} cannot be used: column figure.submission_id does not")
    assert found[4].startswith("The statement of alert rule A05 does not run: column found.measure does not exist")
    assert found[5].startswith(f"{own / 'sql/assessment/indicators/visits.sql'} cannot be used: column found.code")


def test_a_new_form_says_what_it_needs_step_by_step(
    own: Path, tmp_path: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + "WAREHOUSE", empty_database_url)
    for key in ("PII_KEY", "ARCHIVE_KEY"):
        monkeypatch.setenv(PREFIX + key, "only-for-tests-and-long-enough-for-a-key")
    assert run("init").returncode == 0
    put(own, {"reports.yaml": shipped("reference/reports.yaml") + TRAINING})
    suite = SHIPPED / "expectations" / "training.json"
    assert mistakes(run("declare", "check")) == [f"{suite} cannot be read: No such file or directory."]
    put(own, {"expectations/training.json": json.dumps(SUITE)})
    lacks = f"The warehouse lacks the report training, as {own / 'reports.yaml'} declares; run: "
    lacks += "five-precisions declare migration NAME"
    assert mistakes(run("declare", "check")) == [lacks]
    for words in (
        ("status", "2019-01"),
        ("collect", "2019-01"),
        ("close", "2019-01"),
        ("assess", "2019-01"),
        ("init",),
    ):
        assert mistakes(run(*words)) == [lacks], words

    written = run("declare", "migration", "training")
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.splitlines()[0] == str(own / "migrations" / "own_0001_training.py")
    waiting = "The warehouse lacks a migration of your own; run: five-precisions init"
    assert mistakes(run("declare", "check")) == [waiting]
    assert mistakes(run("collect", "2019-01")) == [waiting]
    assert run("init").returncode == 0
    checked = run("declare", "check")
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == "就业培训台账 (training) is owed by nobody; where it is, add a line to obligations.csv.\n"
    assert "expectations/training.json" in checked.stdout
    again = run("declare", "migration", "again")
    assert (again.returncode, again.stderr) == (1, "core holds every report and column that reports.yaml declares.\n")


def test_a_migration_has_a_name_and_a_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes(run("declare", "migration", "../forms")) == [
        "'../forms' names no migration: small letters, digits and _ only, a letter first."
    ]
    monkeypatch.delenv(VARIABLE)
    assert mistakes(run("declare", "migration", "forms")) == [
        f"{VARIABLE} names no folder, so nothing is declared beyond ours."
    ]
