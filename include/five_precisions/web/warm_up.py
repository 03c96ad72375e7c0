"""What takes long and is done once: with the first page that somebody opens, and beside it (docs/desk.md#speed)."""

from __future__ import annotations

import gc
from threading import Lock, Thread

from five_precisions.web.charts import start_engine

_starting = Lock()
_started: list[Thread] = []
"""At most one."""


def warm_up() -> None:
    """Start the drawing engine, and have the garbage collector leave out all that is there by then.

    The thread is waited for at the end of the process, which cannot end in the middle of it.
    """
    with _starting:
        if not _started:
            _started.append(Thread(target=_warm_up))
            _started[0].start()


def _warm_up() -> None:
    start_engine()
    # Airflow's API server holds 700,000 objects for as long as it runs. To look through them again took half a second,
    # and fell on one large page of ten.
    gc.collect()
    gc.freeze()
