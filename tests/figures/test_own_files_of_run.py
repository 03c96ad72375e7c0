"""A run names the installation's own files by which it was made, and its digest covers them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.errors import SetupError
from five_precisions.figures import assess, explain, restate
from five_precisions.figures.assess import take_inputs
from five_precisions.own_files import SHIPPED, VARIABLE
from five_precisions.settings import Settings
from tests.command_line import run
from tests.figures.conftest import JANUARY
from tests.figures.test_catalogue import ENTRY, MEAN_BALANCE

OFF = "-- Not held here: the county looks after it.\n--\n-- rule: A05\n-- switched_off: true\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def put(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def shipped(name: str) -> str:
    return (SHIPPED / name).read_text(encoding="utf-8")


def digest_now(engine: Engine, settings: Settings) -> str:
    with engine.connect() as connection:
        return take_inputs(connection, settings, JANUARY).digest


def test_a_run_names_its_own_files_and_explain_shows_them(
    closed_january: Engine, settings: Settings, own: Path
) -> None:
    put(own, "metrics.yaml", shipped("reference/metrics.yaml") + ENTRY.format(code="mean_balance"))
    put(own, "sql/metrics/mean_balance.sql", MEAN_BALANCE)
    alert = put(own, "sql/alerts/a05.sql", OFF)
    put(own, "targets.yaml", shipped("reference/targets.yaml") + "\n")
    put(own, "templates/mail/receipt.html", "好")
    settings = settings.model_copy(update={"reference": own})
    assess(closed_january, settings, JANUARY)
    with closed_january.connect() as connection:
        kept = connection.execute(text("select name, sha256 from mart.run_own_file order by name")).all()
    assert [row.name for row in kept] == [
        "reference/metrics.yaml",
        "sql/alerts/a05.sql",
        "sql/metrics/mean_balance.sql",
    ]
    assert kept[1].sha256 == hashlib.sha256(alert.read_bytes()).hexdigest()
    explained = explain(closed_january, settings, "mean_balance", scope="city", code=None, period=JANUARY)
    assert (explained.value, explained.own_files) == (2, tuple(row.name for row in kept))
    shown = run("explain", "mean_balance", "--period", "2019-01")
    assert "sql/alerts/a05.sql, sql/metrics/mean_balance.sql" in shown.stdout


def test_the_digest_follows_what_a_run_is_made_by_and_nothing_else(
    closed_january: Engine, settings: Settings, own: Path
) -> None:
    ours = digest_now(closed_january, settings)
    put(own, "reports.yaml", shipped("reference/reports.yaml"))
    put(own, "templates/mail/receipt.html", "好")
    put(own, "expectations/loans.json", shipped("expectations/loans.json") + "\n")
    put(own, "holidays.csv", "date,workday\n2019-10-01,0\n")
    assert digest_now(closed_january, settings) == ours
    digests = [ours]
    for name in ("sql/checks/x01.sql", "sql/alerts/a05.sql", "sql/facts/loans.sql"):
        put(own, name, shipped(name) + "-- ours, with a remark\n")
        digests.append(digest_now(closed_january, settings))
    put(own, "sql/alerts/a05.sql", OFF)
    digests.append(digest_now(closed_january, settings))
    put(own, "reports.yaml", shipped("reference/reports.yaml").replace("title: ", "title: 本市", 1))
    digests.append(digest_now(closed_january, settings))
    assert len(set(digests)) == len(digests)
    shutil.rmtree(own)
    own.mkdir()
    assert digest_now(closed_january, settings) == ours


def test_a_restatement_with_another_own_file_is_a_new_run(
    closed_january: Engine, settings: Settings, own: Path
) -> None:
    assess(closed_january, settings, JANUARY)
    assert not restate(closed_january, settings, JANUARY, "无变化", "ops").is_new
    put(own, "sql/checks/x01.sql", shipped("sql/checks/x01.sql").replace("message: ", "message: 本市："))
    assert restate(closed_january, settings, JANUARY, "本市的规则", "ops").is_new
    with closed_january.connect() as connection:
        kept = connection.execute(text("select run_id, name from mart.run_own_file")).all()
    assert [tuple(row) for row in kept] == [("2019-01-r2", "sql/checks/x01.sql")]


def test_an_own_statement_that_does_not_run_is_one_sentence(
    closed_january: Engine, settings: Settings, own: Path
) -> None:
    put(own, "metrics.yaml", shipped("reference/metrics.yaml") + ENTRY.format(code="mean_balance"))
    path = put(own, "sql/metrics/mean_balance.sql", MEAN_BALANCE.replace("loans.balance", "loans.balanse"))
    settings = settings.model_copy(update={"reference": own})
    with pytest.raises(SetupError) as refused:
        assess(closed_january, settings, JANUARY)
    assert str(refused.value).startswith(f"{path} cannot be used: column loans.balanse does not exist")
