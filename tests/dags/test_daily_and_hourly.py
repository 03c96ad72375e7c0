"""The DAGs that go by the clock, run whole by `dag.test()`: reminders, and what comes too late."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from five_precisions.collection import close
from five_precisions.intake import move_deadline, read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import PREFIX, ROOT, Settings
from tests.mail_server import MailServer
from tests.packages import JUNE, put, sound_package

NAMES = ("daily_reminders", "late_submissions")


def run_dags(folder: Path, mail: str) -> list[dict[str, str]]:
    """States of the runs and their tasks. The warehouse is that of the test's environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        PREFIX + "MAIL": mail,
    }
    script = Path(__file__).with_name("run_dags.py")
    command = [sys.executable, script, *NAMES]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    states: list[dict[str, str]] = json.loads(found.stdout.splitlines()[-1])
    return states


def test_reminders_and_receipts_of_late_packages_leave_once(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    engine = register_saved_engine
    last_month = Period.current().previous()
    in_three_days = datetime.now(SHANGHAI).date() + timedelta(days=3)
    move_deadline(engine, settings, last_month, in_three_days, "台风")
    move_deadline(engine, settings, last_month, in_three_days + timedelta(days=9), "系统升级", institution="B01")
    close(engine, settings.model_copy(update={"first_period": JUNE}), JUNE)
    folder = Path(settings.inbox_address) / str(JUNE) / "B07"
    put(folder, sound_package("grid"))
    for file in folder.iterdir():
        os.utime(file, (time.time() - 60,) * 2)

    with MailServer(tmp_path / "mails") as server:
        states = run_dags(tmp_path / "airflow", server.url)
        keys = server.keys()
    assert states == [
        {"remind": "success", NAMES[0]: "success"},
        {"take_in": "success", NAMES[1]: "success"},
    ]
    assert len(keys) == len(set(keys)) == 16 + 1
    edition = f"before-3-{in_three_days}"
    reminded = [key for key in keys if key.startswith("reminder/")]
    assert len(reminded) == 16
    assert {(key.split("/")[1], key.rpartition("/")[2]) for key in reminded} == {(str(last_month), edition)}
    assert not [key for key in reminded if "/B01/" in key]
    assert "receipt/2019-06/B07/b07@example.test/v1" in keys

    assert not list(folder.iterdir())
    [grid] = [row for row in read_status(engine, JUNE) if (row.institution_code, row.report) == ("B07", "grid")]
    assert (grid.state, grid.late) == ("accepted", True)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from intake.frozen_report")).scalar_one() == 0
