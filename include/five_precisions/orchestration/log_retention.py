"""Retention of logs: those of tasks are removed when they are old, those of components rotated when they are long.

Airflow writes a file for each try of each task and takes none away; and a component's log has no end.

`python -m five_precisions.orchestration.log_retention FOLDER --days 90` looks after tasks' logs once an hour, until it
is told to stop; it is a service of docker-compose.yaml. On one machine the stack's supervisor looks after both.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

DAYS: Final = 90
"""A month's logs are read until its quarter is announced; what a figure rests on stands in the warehouse."""
LOOK_SECONDS: Final = 3600.0
LONGEST_BYTES: Final = 10 * 2**20
"""Of a component's log; one more of this length is kept."""
_DAY_SECONDS: Final = 86_400


def remove_old_logs(folder: Path, days: int) -> int:
    """Remove the files that nobody has written to for so many days, and the folders that have been empty for one.

    Younger ones are left: a task may be about to write there.

    Returns:
        how many files were removed.
    """
    now = time.time()
    removed = 0
    for place, folders, files in os.walk(folder, topdown=False):
        paths = [Path(place, name) for name in (*files, *folders)]
        # A link to a folder goes like a file.
        for path in [path for path in paths if path.is_symlink() or not path.is_dir()]:
            # Somebody else may clean up, too.
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < now - days * _DAY_SECONDS:
                    path.unlink()
                    removed += 1
        for path in [path for path in paths if path.is_dir() and not path.is_symlink()]:
            if path.stat().st_mtime < now - _DAY_SECONDS and not any(path.iterdir()):
                path.rmdir()
    return removed


def rotate_log(log: Path) -> None:
    """Copy a log that has become long to `….1`, over the copy before, and empty it.

    Its writer need not know, if it opened the log for appending. What is written between the two steps is lost.
    """
    if not log.exists() or log.stat().st_size <= LONGEST_BYTES:
        return
    copy = log.with_name(f"{log.name}.1")
    try:
        shutil.copyfile(log, copy)
    except OSError:
        # The disk is full: half a copy takes the room that is wanted, and of the two the log itself is newer.
        copy.unlink(missing_ok=True)
        return
    os.truncate(log, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look once an hour, until SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="log_retention", description="Takes away the logs of tasks that are old.")
    parser.add_argument("folder", type=Path, help="Airflow's base_log_folder")
    parser.add_argument("--days", type=int, default=DAYS, help="how long a log is kept (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.days < 1:
        parser.error("--days is at least 1.")
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    while not ended.is_set():
        removed = remove_old_logs(options.folder, options.days)
        if removed:
            print(f"{removed} logs older than {options.days} days taken away.")
        ended.wait(LOOK_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
