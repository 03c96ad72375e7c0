"""What housekeeping did, on record: written after each task, read for a page (docs/operations.md#housekeeping)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from five_precisions.warehouse import load_statement

LONGEST_PAUSE: Final = timedelta(days=2)
"""How long ago a task may have succeeded before ops hear of it: each is done every night, and one may go wrong."""
_RECORD = text("""
insert into registry.housekeeping (task, outcome, sentence, detail)
values (:task, :outcome, :sentence, cast(:detail as jsonb))
""")


class Task(StrEnum):
    """What housekeeping does."""

    RETENTION = "retention"
    AIRFLOW_CLEAN = "airflow_clean"
    PARTITIONS = "partitions"
    BACKUP = "backup"
    RESTORE_TEST = "restore_test"
    DISK = "disk"


class TaskOutcome(StrEnum):
    """What came of it."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TaskState:
    """How a task of housekeeping stands."""

    task: Task
    done_at: datetime
    """When it last ended, well or not."""
    outcome: TaskOutcome
    sentence: str
    """What was done, or why it failed."""
    detail: Mapping[str, Any]
    """Its figures by name, as docs/operations.md#housekeeping lists them; empty where it failed."""
    succeeded_at: datetime | None
    """When it last went well; None where it never did."""


def record(
    engine: Engine,
    task: Task,
    sentence: str,
    detail: Mapping[str, Any] | None = None,
    *,
    outcome: TaskOutcome = TaskOutcome.DONE,
) -> None:
    """Add what a task did to the record, in a transaction of its own.

    Args:
        engine: Of the warehouse.
        task: Which task.
        sentence: What was done, or why it failed.
        detail: Its figures by name.
        outcome: What came of it.
    """
    line = {"task": task, "outcome": outcome, "sentence": sentence, "detail": json.dumps(dict(detail or {}))}
    with engine.begin() as connection:
        connection.execute(_RECORD, line)


def read_housekeeping(connection: Connection) -> dict[Task, TaskState]:
    """How each task of housekeeping stands (docs/operations.md#housekeeping); one that never ran is missing."""
    return {
        Task(row.task): TaskState(
            task=Task(row.task),
            done_at=row.done_at,
            outcome=TaskOutcome(row.outcome),
            sentence=row.sentence,
            detail=row.detail,
            succeeded_at=row.succeeded_at,
        )
        for row in connection.execute(load_statement("housekeeping/newest"))
    }
