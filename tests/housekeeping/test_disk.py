"""How full the disks are: measured, and when they will be full by the line through all looks."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.rows import rewrite

from five_precisions.housekeeping import Disk, Task, days_until_full, measure_disks, record
from five_precisions.period import SHANGHAI
from five_precisions.settings import Settings

NOW = datetime(2026, 11, 30, 2, tzinfo=SHANGHAI)
GIGABYTE = 2**30


def looks(*free: int) -> list[tuple[datetime, int]]:
    """One look a day, the last of them now."""
    return [(NOW - timedelta(days=len(free) - 1 - place), each) for place, each in enumerate(free)]


@pytest.mark.parametrize(
    ("free", "days"),
    [
        ((), None),
        ((100,), None),
        ((100, 50), None),
        ((100, 90, 80), 8),
        ((80, 90, 100), None),
        ((50, 50, 50), None),
        # Line: 3 a day, whatever the last day does.
        ((100, 97, 94, 91), 30),
        ((30, 20, 10, 0), 0),
    ],
)
def test_the_line_through_all_looks_says_when_it_is_full(free: tuple[int, ...], days: int | None) -> None:
    assert days_until_full(looks(*free)) == days


def test_backups_that_come_and_go_are_no_growth() -> None:
    saw = [1000 - 50 * (day % 2) - day for day in range(40)]
    days = days_until_full(looks(*saw))
    assert days is not None
    assert 800 < days < 1200


@pytest.mark.parametrize(
    ("free", "days_left", "wants_room"),
    [(99, None, True), (100, None, False), (500, 29, True), (500, 30, False)],
)
def test_a_disk_wants_room_when_a_tenth_or_thirty_days_are_left(
    free: int, days_left: int | None, wants_room: bool
) -> None:
    assert Disk("/var", 1000, free, days_left).wants_room is wants_room


def test_a_disk_is_described_in_one_sentence() -> None:
    disk = Disk("/var", 100 * GIGABYTE, 5 * GIGABYTE, 12)
    assert disk.words() == ("The disk of /var has 5.0 of 100.0 GB free, and is full in 12 days as it fills now.")


def test_a_container_s_root_and_its_volumes_are_one_disk(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are two devices, as here; what tells that they share a disk is that both are as large and as full."""
    settings.var.mkdir(parents=True)
    assert settings.var.stat().st_dev != Path("/dev/shm").stat().st_dev
    usage = shutil.disk_usage(settings.var)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert [disk.folder for disk in measure_disks(engine, settings, Path("/dev/shm")).disks] == [str(settings.var)]


def test_each_disk_is_measured_once_and_its_earlier_looks_count(engine: Engine, settings: Settings) -> None:
    settings.var.mkdir(parents=True)
    first = measure_disks(engine, settings, Path("/dev/shm"))
    assert first.disks[0].folder == str(settings.var)
    assert len({disk.folder for disk in first.disks}) == len(first.disks) == 2
    assert all(0 < disk.free <= disk.size and disk.days_left is None for disk in first.disks)
    assert first.database > 1_000_000

    disk = first.disks[0]
    for days in (1, 5, 10, 100):
        earlier = {"disks": [{"folder": disk.folder, "size": disk.size, "free": disk.free + days * 2**30}]}
        record(engine, Task.DISK, "", earlier)
        rewrite(
            engine,
            "update registry.housekeeping set done_at = now() - make_interval(days => :days) "
            "where housekeeping_number = (select max(housekeeping_number) from registry.housekeeping)",
            days=days,
        )
    left = measure_disks(engine, settings).disks[0].days_left
    assert left is not None
    assert abs(left - disk.free / 2**30) < 0.1 * disk.free / 2**30 + 2
