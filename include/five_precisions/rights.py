"""Who may read what this program keeps: its owner (docs/reports.md#sensitive-columns).

What is written into a folder of our own is readable by its owner only, and the folder `var` is closed to all others.
What somebody asks for by name, such as a CSV file for an officer, has the rights that he gives to his files.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o077
_asked_for: int | None = None
"""The umask that the program was started with, once it keeps to itself what it writes."""


def keep_private() -> None:
    """From now on this process, and whatever it starts, makes files that only their owner can read."""
    global _asked_for  # noqa: PLW0603 - like the umask itself, one of the process
    _asked_for = os.umask(_PRIVATE)


def umask() -> int:
    """The rights that files made by this process are without. To read it is to set it, for a moment to the closest."""
    mask = os.umask(_PRIVATE)
    os.umask(mask)
    return mask


@contextmanager
def private() -> Iterator[None]:
    """The same for the length of a block, in a process that is not ours: one of Airflow's."""
    before = os.umask(_PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def as_asked_for() -> Iterator[None]:
    """For the length of a block files have the rights that whoever started the program gives to his."""
    if _asked_for is None:
        yield
        return
    before = os.umask(_asked_for)
    try:
        yield
    finally:
        os.umask(before)


def make_private_folder(folder: Path) -> None:
    """Make a folder, with those above it, that only its owner can pass; one that is there is closed to all others.

    Raises:
        OSError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        # What is there is a file: that it exists is not what is wrong.
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
    close_folder(folder)


def close_folder(folder: Path) -> None:
    """Close a folder of ours to all others, where it is there and open to them. One that many share stays as it is.

    What root's embedded server needs to reach its data, passing, is left to its group (warehouse/embedded.py).
    """
    # It may be gone, or of another file system that knows no rights.
    with suppress(OSError):
        found = folder.stat()
        passing = stat.S_IXGRP if os.geteuid() == 0 else 0
        is_wider = found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~passing
        if is_wider and found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
            folder.chmod(stat.S_IMODE(found.st_mode) & ~(stat.S_IRWXG | stat.S_IRWXO))
