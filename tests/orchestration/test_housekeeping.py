"""What ops are told after a night: disks, backups, restores, and files that the archive has lost."""

from __future__ import annotations

from sqlalchemy import Engine

from five_precisions.housekeeping import Task, TaskOutcome, record
from tests.rows import rewrite

GIGABYTE = 2**30
LOST = (
    "3 files that the delivery record names are missing in the archive, and in the backup; see: five-precisions verify"
)


def told() -> list[str]:
    from five_precisions.orchestration.ops_summary import summarize_housekeeping

    return summarize_housekeeping({})  # type: ignore[typeddict-item]


def disk(free: int, days_left: int | None) -> dict[str, object]:
    return {"disks": [{"folder": "/var", "size": 100 * GIGABYTE, "free": free * GIGABYTE, "days_left": days_left}]}


def test_a_good_night_is_not_worth_a_message(engine: Engine) -> None:
    assert told() == ["No backup was made yet.", "No restore was tried yet."]
    record(engine, Task.DISK, "", disk(50, None))
    for task in (Task.BACKUP, Task.RESTORE_TEST):
        record(engine, task, "", {"lost": 0})
    assert told() == []


def test_what_is_old_lost_or_filling_up_is_said(engine: Engine) -> None:
    record(engine, Task.DISK, "", disk(5, 12))
    record(engine, Task.BACKUP, "", {"lost": 3})
    record(engine, Task.RESTORE_TEST, "", {"lost": 3})
    rewrite(engine, "update registry.housekeeping set done_at = '2026-11-01T02:00+08:00' where task = 'restore_test'")
    record(engine, Task.RESTORE_TEST, "damaged", outcome=TaskOutcome.FAILED)
    assert told() == [
        "The disk of /var has 5.0 of 100.0 GB free, and is full in 12 days as it fills now. Make room there.",
        LOST,
        "The last restore was tried on 2026-11-01.",
    ]
