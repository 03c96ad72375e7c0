"""Whether a full disk is why a process has failed: its log mostly cannot say so, for it lies on the same disk."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Final

LEAST_BYTES: Final = 32 * 2**20
"""With less, PostgreSQL cannot begin the next piece of its journal (16 MB), nor Airflow work for long."""
_TAIL_BYTES: Final = 2**16
_SAYINGS: Final = tuple(os.strerror(number).encode() for number in (errno.ENOSPC, errno.EDQUOT))
"""How PostgreSQL, Python and every other program put it: in the C library's words."""


def full_disk(log: Path, *, since: int = 0) -> str | None:
    """The end of a sentence on a process that has failed, where the disk is full, or was; else None.

    Args:
        log: The log of the process, or the folder of several; it need not be there.
        since: How long the log was when the process began: what earlier ones wrote there says nothing of this one.
    """
    folder = next(parent for parent in (log, *log.parents) if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if free < LEAST_BYTES:
        return f"the disk is full ({free // 2**20} MB are left in {folder}); make room there and start again"
    if log.is_file() and _says_full(log, since):
        return f"the disk was full, as its log {log} says; make room there and start again"
    return None


def _says_full(log: Path, since: int) -> bool:
    with log.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        # Shorter than before: it was begun anew since.
        file.seek(max(since if since <= length else 0, length - _TAIL_BYTES))
        tail = file.read()
    return any(saying in tail for saying in _SAYINGS)
