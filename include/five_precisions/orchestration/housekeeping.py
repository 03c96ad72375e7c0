"""The tasks of `housekeeping`: each does one thing and puts on record what came of it (docs/operations.md)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from airflow.configuration import conf
from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError, DBAPIError

from five_precisions.errors import FivePrecisionsError, SetupError, sentence_of
from five_precisions.housekeeping import (
    BackupFolder,
    Task,
    TaskOutcome,
    back_up,
    make_partitions_ahead,
    measure_disks,
    record,
    remove_superseded,
    try_restore,
)
from five_precisions.installation import Installation
from five_precisions.orchestration.log_retention import remove_old_logs
from five_precisions.orchestration.runtime import open_for_task, skip
from five_precisions.settings import PREFIX
from five_precisions.warehouse import load_statement

logger = logging.getLogger(__name__)

AIRFLOW_TABLES: Final = (
    "job", "dag_run", "asset_event", "partitioned_asset_key_log", "import_error", "log", "task_reschedule", "callback",
    "deadline", "trigger", "celery_taskmeta", "celery_tasksetmeta", "session",
)  # fmt: skip
"""By name, as Airflow's own command knows them: with the runs go their tasks, tries and results.

The versions of DAGs stay: they are few, and runs that are kept rest on them.
"""
_LEFT_BY_AIRFLOW: Final = ("airflow_backfill_runs", "airflow_backfills")
"""Statements for what Airflow's own command leaves behind, in their order."""
_HIDDEN: Final = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SQL_ALCHEMY_CONN")


def apply_retention() -> int:
    """Take away old logs of tasks, and superseded files of the archive where a setting says so; how many files.

    Raises:
        FivePrecisionsError: the archive cannot be written to, or does not answer.
    """
    with _on_record(Task.RETENTION) as (engine, settings):
        logs = remove_old_logs(Path(conf.get("logging", "base_log_folder")), settings.log_days)
        files = remove_superseded(engine, settings)
        sentence = f"{logs} logs older than {settings.log_days} days and {files} archived files are taken away."
        record(engine, Task.RETENTION, sentence, {"logs": logs, "files": files})
    logger.info(sentence)
    return logs + files


def clean_airflow() -> None:
    """Take old runs out of Airflow's own database, by its own command and the tables' names.

    Raises:
        AirflowSkipException: no setting names that database, which Airflow hides from its tasks.
        SetupError: the command fails for some table; the log has what it says.
    """
    with _on_record(Task.AIRFLOW_CLEAN) as (engine, settings):
        if settings.airflow_database is None:
            skip(f"{PREFIX}AIRFLOW_DATABASE is not set, so old runs stay in Airflow's database.")
        before = datetime.now(UTC) - timedelta(days=settings.keep_runs_days)
        _run_airflow_clean(settings.airflow_database, before)
        rows = _clean_what_airflow_leaves(settings.airflow_database, before)
        sentence = f"Runs from before {before:%Y-%m-%d} are taken out of Airflow's database."
        record(engine, Task.AIRFLOW_CLEAN, sentence, {"before": before.isoformat(), "rows": rows})
    logger.info(sentence)


def make_partitions() -> list[str]:
    """Make the partitions of this month and the next ones; the months."""
    with _on_record(Task.PARTITIONS) as (engine, settings):
        months = [str(month) for month in make_partitions_ahead(engine, settings)]
        sentence = f"Partitions are there up to {months[-1]}." if months else "No month lies ahead."
        record(engine, Task.PARTITIONS, sentence, {"months": months})
    logger.info(sentence)
    return months


def make_backup() -> str:
    """Write a backup into the folder of backups and remove the oldest ones; its path.

    Raises:
        FivePrecisionsError: it cannot be written, or does not read back.
    """
    with _on_record(Task.BACKUP) as (engine, settings):
        folder = BackupFolder(settings)
        made = back_up(engine, settings, folder.files, folder.next_path(engine), report_progress=logger.info)
        # One that lacks files of the archive takes the place of none that has them.
        removed = folder.keep_newest(settings.keep_backups) if made.lost == 0 else 0
        record(engine, Task.BACKUP, made.words(), {**made.detail(), "removed": removed})
    logger.info(made.words())
    return made.path


def try_newest_restore() -> None:
    """Restore the newest backup into a scratch database, compare every table, and drop it.

    Raises:
        FivePrecisionsError: there is none, it is damaged, or does not give back what was saved.
    """
    with _on_record(Task.RESTORE_TEST) as (engine, settings):
        folder = BackupFolder(settings)
        path = next(iter(folder.paths()), None)
        if path is None:
            raise SetupError("There is no backup whose restore could be tried.")
        try:
            with folder.files.open(path, "rb") as file:
                tried = try_restore(engine, file, path)
        except OSError as error:
            raise SetupError(f"The backup cannot be read: {sentence_of(error)}") from error
        sentence = f"Restored and compared: {tried.words()}"
        record(engine, Task.RESTORE_TEST, sentence, tried.detail())
    logger.info(sentence)


def look_at_disks() -> None:
    """Measure how full the disks are, and put it on record for the forecast."""
    with _on_record(Task.DISK) as (engine, settings):
        space = measure_disks(engine, settings, Path(conf.get("logging", "base_log_folder")))
        record(engine, Task.DISK, space.words(), space.detail())
    logger.info(space.words())


@contextmanager
def _on_record(task: Task) -> Iterator[Installation]:
    """Open the installation for a task; where it fails, that stands on record, too."""
    with open_for_task() as installation:
        try:
            yield installation
        except (FivePrecisionsError, OSError, DBAPIError) as error:
            # What failed may be the warehouse.
            with suppress(DBAPIError):
                record(installation.engine, task, _sentence(error), outcome=TaskOutcome.FAILED)
            raise


def _sentence(error: FivePrecisionsError | OSError | DBAPIError) -> str:
    match error:
        case OSError():
            return sentence_of(error)
        case DBAPIError():
            return f"{str(error.orig).strip().splitlines()[0]}."
        case _:
            return str(error)


def _run_airflow_clean(address: str, before: datetime) -> None:
    options = ["--tables", ",".join(AIRFLOW_TABLES), "--clean-before-timestamp", before.isoformat()]
    options += ["--yes", "--skip-archive", "--error-on-cleanup-failure"]
    # Airflow puts another address over its own in every task, and its command would take that one.
    hidden = {name + ending for name in _HIDDEN for ending in ("", "_CMD", "_SECRET")}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    ended = subprocess.run(  # noqa: S603 - Airflow's own command
        [sys.executable, "-m", "airflow", "db", "clean", *options],
        env=environment | {_HIDDEN[0]: address},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for line in ended.stdout.splitlines():
        if line.strip():
            logger.info(line)
    if ended.returncode:
        raise SetupError("airflow db clean has failed; what it says stands above in the log of this task.")


def _clean_what_airflow_leaves(address: str, before: datetime) -> int:
    """Take away backfills all of whose runs are gone; how many rows."""
    try:
        engine = create_engine(address, hide_parameters=True)
    except ArgumentError:
        raise SetupError(f"{PREFIX}AIRFLOW_DATABASE is not a SQLAlchemy URL.") from None
    try:
        with engine.begin() as connection:
            return sum(
                connection.execute(load_statement(f"housekeeping/{name}"), {"before": before}).rowcount
                for name in _LEFT_BY_AIRFLOW
            )
    finally:
        engine.dispose()
