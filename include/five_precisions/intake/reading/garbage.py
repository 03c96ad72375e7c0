"""Python's search for cycles, put off while a large sheet is made into values."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Do without the search for cycles: rows and cells have none, and are looked through time and again.

    Of two threads, the one that came second may be searched for when the first is done; nobody is left without.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
