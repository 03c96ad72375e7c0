"""How full the disks are, and when they will be full as they fill now (docs/operations.md#housekeeping)."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, text

from five_precisions.settings import Settings
from five_precisions.storage import Store, store_of
from five_precisions.warehouse import load_statement, read_clock

LEAST_DAYS: Final = 30
"""Ops are told of a disk that is full in fewer."""
LEAST_SHARE: Final = 0.1
"""And of one with less of it free."""
_SINCE: Final = timedelta(days=60)
"""Further back growth was another one."""
_SHORTEST: Final = timedelta(days=2)
"""Of what lies between first look and last: a day's growth says nothing of the next month's."""
_DAY_SECONDS: Final = 86_400
_DATABASE_BYTES = text("select pg_database_size(current_database())")


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk, by the first of our folders that lies on it."""

    folder: str
    size: int
    """Bytes."""
    free: int
    """Bytes."""
    days_left: int | None
    """Until it is full; None where it does not fill, or has not been looked at for long enough."""

    @property
    def wants_room(self) -> bool:
        """Whether ops must make room."""
        return self.free < LEAST_SHARE * self.size or (self.days_left is not None and self.days_left < LEAST_DAYS)

    def words(self) -> str:
        """How it stands, in one sentence."""
        until = "" if self.days_left is None else f", and is full in {self.days_left} days as it fills now"
        return f"The disk of {self.folder} has {self.free / 2**30:,.1f} of {self.size / 2**30:,.1f} GB free{until}."


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What is free, and what the database takes."""

    disks: tuple[Disk, ...]
    database: int
    """Bytes of the database, on whichever server it is."""

    def words(self) -> str:
        """How the disks stand, a sentence each."""
        return " ".join(disk.words() for disk in self.disks)

    def detail(self) -> dict[str, Any]:
        """Its figures, for the record."""
        return {"disks": [asdict(disk) for disk in self.disks], "database": self.database}


def measure_disks(engine: Engine, settings: Settings, *others: Path) -> DiskSpace:
    """Look at every disk of this machine that a folder of ours lies on.

    Args:
        engine: Of the warehouse, which has the earlier looks on record.
        settings: Of this installation.
        others: Folders beside those that the settings name, such as that of the logs.
    """
    addresses = [settings.archive_address, settings.outbox_address, settings.data_docs_address]
    addresses += [settings.backups_address, settings.inbox_address]
    folders = [settings.var, *others]
    folders += [Path(each.partition("://")[2] or each) for each in addresses if store_of(each) is Store.LOCAL]
    with engine.connect() as connection:
        now = read_clock(connection)
        rows = connection.execute(load_statement("housekeeping/disk_measurements"), {"since": now - _SINCE}).all()
        database = connection.execute(_DATABASE_BYTES).scalar_one()
    earlier = {
        folder: [(row.done_at, row.free) for row in looks] for folder, looks in groupby(rows, lambda row: row.folder)
    }
    disks = []
    for folder in _one_a_disk(folders):
        usage = shutil.disk_usage(folder)
        looks = [*earlier.get(str(folder), []), (now, usage.free)]
        disks.append(Disk(str(folder), usage.total, usage.free, days_until_full(looks)))
    return DiskSpace(tuple(disks), database)


def days_until_full(looks: Sequence[tuple[datetime, int]]) -> int | None:
    """In how many days nothing is free any more, by the straight line that fits all looks best.

    Args:
        looks: When, and how many bytes were free then; the oldest first.

    Returns:
        None where the disk does not fill, or the looks lie too close together.
    """
    if not looks or looks[-1][0] - looks[0][0] < _SHORTEST:
        return None
    last = looks[-1][0]
    days = [(at - last).total_seconds() / _DAY_SECONDS for at, _ in looks]
    mean_day, mean_free = sum(days) / len(days), sum(free for _, free in looks) / len(looks)
    spread = sum((day - mean_day) ** 2 for day in days)
    slope = sum((day - mean_day) * (free - mean_free) for day, (_, free) in zip(days, looks, strict=True)) / spread
    return None if slope >= 0 else int(looks[-1][1] / -slope)


def _one_a_disk(folders: Iterable[Path]) -> list[Path]:
    """The folders, or those above that are there, but for those on the disk of an earlier one.

    A container's root is a device of its own, and lies on the disk of its volumes: both are as large and as full.
    """
    found: list[Path] = []
    devices: set[int] = set()
    sizes: set[tuple[int, int]] = set()
    for folder in folders:
        there = next((each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir()), None)
        if there is None or (device := there.stat().st_dev) in devices:
            continue
        devices.add(device)
        usage = shutil.disk_usage(there)
        if (size := (usage.total, usage.free)) not in sizes:
            sizes.add(size)
            found.append(there)
    return found
