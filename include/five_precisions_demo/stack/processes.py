"""Which processes belong to a stack, whatever they call themselves and whoever their parent has become.

Each bears the stack's mark in its environment and belongs to a session that the supervisor has begun.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from five_precisions_demo.stack.environment import MARK
from five_precisions_demo.stack.site import Site

KILL_SECONDS: Final = 5.0


def members(site: Site, sessions: set[int] | None = None) -> list[psutil.Process]:
    """The stack's processes: those that bear its mark, and all of the sessions given."""
    mark = str(site.var.resolve())
    own = os.getpid()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == own or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if (sessions and os.getsid(process.pid) in sessions) or process.environ().get(MARK) == mark:
                found.append(process)
    return found


def kill(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill what is found until nothing is: what is killed may just have started another."""
    deadline = time.monotonic() + KILL_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.5)


def database_processes(site: Site) -> list[psutil.Process]:
    """The embedded server's, which is no child of ours and may be another user's."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        note = (site.var.resolve() / "warehouse" / "data" / "postmaster.pid").read_text()
        postmaster = psutil.Process(int(note.split(maxsplit=1)[0]))
        return [postmaster, *postmaster.children(recursive=True)]
    return []


def memory_of(process: psutil.Process) -> int:
    """Bytes that it takes, its share of what several share; 0 where it has ended."""
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        return 1024 * int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
    except (OSError, StopIteration):
        pass
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
