"""The DAG that ops ask for, run whole by `dag.test()`: shown, decided, restated, told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from five_precisions.bulletin import post_notices
from five_precisions.figures import assess
from five_precisions.settings import PREFIX, ROOT, Settings
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.january import deliver_january
from tests.figures.small_city import SmallCity
from tests.mail_server import MailServer

ADDRESS = "b01@example.test"


def run_restatements(folder: Path, mail: str, *runs: dict[str, object]) -> list[dict[str, Any]]:
    """States of the runs and their tasks, and what was shown. The warehouse is that of the test's environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        PREFIX + "MAIL": mail,
    }
    script = Path(__file__).with_name("run_restatement.py")
    found = subprocess.run(
        [sys.executable, script, json.dumps(runs)], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    states: list[dict[str, Any]] = json.loads(found.stdout.splitlines()[-1])
    return states


def asked(month: str, answer: str) -> dict[str, object]:
    return {"conf": {"period": month, "reason": "B03台账*更正*"}, "answer": answer}


def test_a_month_is_restated_as_it_was_shown(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        connection.execute(text("insert into registry.contact values ('B01', :to, 'contact')"), {"to": ADDRESS})
        deliver_january(city)
        city.close(JANUARY)
        city.open(FEBRUARY)
        city.close(FEBRUARY)
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    [told] = post_notices(engine, settings, JANUARY)
    with engine.begin() as connection:
        SmallCity.resumed(connection).deliver(JANUARY, "B03", day=25, loans=[{"contract_no": "L9"}])
        # Somebody else's request for February is open from the second run on.
        connection.execute(text("insert into registry.restatement_request values ('open', '2019-02')"))

    with MailServer(tmp_path / "mails") as server:
        states = run_restatements(
            tmp_path / "airflow",
            server.url,
            asked("2019-01", "Reject"),
            asked("2019-02", "Approve"),
            asked("2019-01", "Approve"),
            asked("2019-01", "Approve"),
        )
        keys = server.keys()

    rejected, second, approved, again = states
    assert (rejected["preview"], rejected["approve"], rejected["restate"], rejected["restatement"]) == (
        "success", "success", "skipped", "success",
    )  # fmt: skip
    # Failed at once: it was shown to nobody.
    assert (second["preview"], second["approve"], second["restatement"]) == ("failed", "upstream_failed", "failed")
    assert second["shown"] == {}
    assert {
        name: approved[name] for name in ("preview", "approve", "restate", "notify", "restatement")
    } == dict.fromkeys(("preview", "approve", "restate", "notify", "restatement"), "success")
    assert (again["preview"], again["approve"], again["restate"], again["restatement"]) == (
        "skipped", "skipped", "skipped", "success",
    )  # fmt: skip

    shown = approved["shown"]
    assert shown == rejected["shown"]
    assert shown["subject"].startswith("重述2019-01：2019-01-r2取代2019-01-r1，")
    assert "| B03 | loans | — | 2 |" in shown["body"]
    assert "| bank | B03 | 状态 | unranked | ranked |" in shown["body"]
    assert "理由：B03台账\\*更正\\*" in shown["body"]
    assert "以后各月（2019-02）" in shown["body"]

    with engine.connect() as connection:
        runs = connection.execute(text("select run_id, current from mart.run order by run_id")).all()
        decisions = connection.execute(text("select * from mart.restatement")).all()
    assert [tuple(run) for run in runs] == [("2019-01-r1", False), ("2019-01-r2", True), ("2019-02-r1", True)]
    assert [tuple(decision) for decision in decisions] == [("2019-01-r2", "2019-01-r1", "B03台账*更正*", "王科长")]
    # What waited from the first revision is sent with the month's messages, each once.
    assert len(keys) == len(set(keys))
    assert sorted(key for key in keys if key.startswith("monthly_notice/")) == [told, told.removesuffix("r1") + "r2"]
