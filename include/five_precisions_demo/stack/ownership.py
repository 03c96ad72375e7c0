"""Who owns a stack's folder: its supervisor, by a lock that the kernel releases however the supervisor ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

from five_precisions_demo.stack.site import Site

_TICK: Final = 0.1
LOCK_NAME: Final = "stack.lock"


@contextmanager
def locked(site: Site, *, patience: float = 0) -> Iterator[IO[bytes] | None]:
    """The supervisor's lock, or None where another holds it."""
    deadline = time.monotonic() + patience
    with (site.var / LOCK_NAME).open("ab") as file:
        while not (is_ours := _try_lock(file)) and time.monotonic() < deadline:
            time.sleep(_TICK)
        yield file if is_ours else None


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def supervisor_of(site: Site) -> tuple[int, int] | None:
    """Process number and port of the supervisor that owns the folder, if one does."""
    if not (site.var / LOCK_NAME).exists():
        return None
    with locked(site) as lock:
        if lock is not None:
            return None
    with suppress(ValueError):
        pid, port = (site.var / LOCK_NAME).read_text(encoding="ascii").split()
        return int(pid), int(port)
    # It has the lock and has not written yet.
    time.sleep(_TICK)
    return supervisor_of(site)
