"""The DAG of every night, run whole by `dag.test()`: saved, tried, tidied, measured, and on record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from five_precisions.collection import collect
from five_precisions.housekeeping import Task, TaskOutcome, read_housekeeping
from five_precisions.period import Period
from five_precisions.settings import PREFIX, ROOT, Settings
from tests.conftest import empty_database
from tests.packages import JUNE, put, sound_package

NAME = "housekeeping"
TASKS = ("retention", "airflow_clean", "partitions", "backup", "restore_test", "disk")

BACKFILL = """
insert into backfill (id, dag_id, from_date, to_date, dag_run_conf, reprocess_behavior, max_active_runs, created_at,
    completed_at, updated_at)
select 1, 'monthly_collection', long_ago, long_ago, '{}', 'none', 1, long_ago, long_ago, long_ago
from (select now() - interval '401 days' as long_ago) as moment
"""
BACKFILL_RUN = "insert into backfill_dag_run (id, backfill_id, sort_ordinal) values (1, 1, 1)"


def run_housekeeping(folder: Path, metadata: str, **variables: str) -> dict[str, str]:
    """States of the run and its tasks. The warehouse is that of the test's environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        PREFIX + "AIRFLOW_DATABASE": metadata,
    }
    script = Path(__file__).with_name("run_dags.py")
    found = subprocess.run(
        [sys.executable, script, NAME], env=environment | variables, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    states: list[dict[str, str]] = json.loads(found.stdout.splitlines()[-1])
    return states[0]


@contextmanager
def metadata_of_airflow(server_url: str) -> Iterator[tuple[str, Engine]]:
    """A database for Airflow's own tables on the server of the tests."""
    with empty_database(server_url) as address:
        engine = create_engine(address)
        yield address.replace("+psycopg:", "+psycopg2:"), engine
        engine.dispose()


def test_a_night_saves_tries_tidies_and_measures(
    register_saved_engine: Engine, settings: Settings, server_url: str, tmp_path: Path
) -> None:
    put(Path(settings.inbox_address) / str(JUNE) / "B07", sound_package("grid"))
    collect(register_saved_engine, settings, JUNE, institution="B07")
    home = tmp_path / "airflow"
    old_log = home / "logs" / "dag_id=x" / "attempt=1.log"
    old_log.parent.mkdir(parents=True)
    old_log.write_text("old\n", encoding="utf-8")
    os.utime(old_log, (time.time() - 91 * 86_400,) * 2)
    with metadata_of_airflow(server_url) as (metadata, airflow):
        states = run_housekeeping(home, metadata)
        assert states == dict.fromkeys((*TASKS, NAME), "success")
        assert not old_log.exists()

        with airflow.begin() as connection:
            connection.execute(text("update dag_run set start_date = now() - interval '401 days'"))
            connection.execute(text(BACKFILL))
            connection.execute(text(BACKFILL_RUN))
        again = run_housekeeping(home, metadata, **{PREFIX + "KEEP_BACKUPS": "1"})
        assert again == states
        with airflow.connect() as connection:
            assert connection.execute(text("select count(*) from dag_run")).scalar_one() == 1
            assert connection.execute(text("select count(distinct run_id) from task_instance")).scalar_one() == 1
            assert connection.execute(text("select count(*) from backfill")).scalar_one() == 0
            left = text("select count(*) from pg_class where relname like '\\_airflow\\_deleted%'")
            assert connection.execute(left).scalar_one() == 0

    assert len(list(Path(settings.backups_address).iterdir())) == 1
    with register_saved_engine.connect() as connection:
        found = read_housekeeping(connection)
        month = Period.current().next().next()
        partition = f"core.delivered_loans_{month.year}_{month.month:02d}"
        assert connection.execute(text("select to_regclass(:name)"), {"name": partition}).scalar_one() is not None
        assert connection.execute(text("select count(*) from registry.housekeeping")).scalar_one() == 12
    assert set(found) == set(Task)
    assert {state.outcome for state in found.values()} == {TaskOutcome.DONE}
    assert found[Task.BACKUP].detail["files"] == found[Task.RESTORE_TEST].detail["files"] > 0
    assert found[Task.AIRFLOW_CLEAN].detail["rows"] == 2
    assert found[Task.DISK].detail["disks"][0]["free"] > 0


def test_one_red_task_stops_no_other(register_saved_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    Path(settings.backups_address).parent.mkdir(parents=True, exist_ok=True)
    Path(settings.backups_address).write_text("in the way", encoding="utf-8")
    metadata = f"sqlite:///{tmp_path}/airflow.db"
    states = run_housekeeping(tmp_path / "airflow", metadata, **{PREFIX + "AIRFLOW_DATABASE": ""})
    assert states == {
        "retention": "success",
        "airflow_clean": "skipped",
        "partitions": "success",
        "backup": "failed",
        "restore_test": "upstream_failed",
        "disk": "success",
        NAME: "failed",
    }
    with register_saved_engine.connect() as connection:
        backup = read_housekeeping(connection)[Task.BACKUP]
    assert (backup.outcome, backup.succeeded_at, backup.detail) == (TaskOutcome.FAILED, None, {})
    assert "cannot be written to" in backup.sentence
