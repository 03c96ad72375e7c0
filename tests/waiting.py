"""Waiting for what another process or thread does: as long as it takes, and a failure where it never comes."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_SECONDS = 120
"""Only what never comes takes that long, also on a machine that is busy with something else."""


def wait_until(is_so: Callable[[], bool], what: Callable[[], object] = lambda: "it did not come") -> None:
    """Look again and again; `what` tells, in the failure, how things stand instead.

    Raises:
        AssertionError: it did not come.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)
