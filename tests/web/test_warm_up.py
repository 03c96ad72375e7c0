"""What the first page does once for all that follow."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from threading import Thread

import pytest

from five_precisions.web import warm_up


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Thread]]:
    """A process in which nobody has opened a page."""
    gc.unfreeze()
    threads: list[Thread] = []
    monkeypatch.setattr(warm_up, "_started", threads)
    yield threads
    for thread in threads:
        thread.join()
    gc.unfreeze()


def test_garbage_collections_leave_out_what_is_held_from_the_start(started: list[Thread]) -> None:
    for _ in range(3):
        warm_up.warm_up()
    [thread] = started
    thread.join()
    assert gc.get_freeze_count() > 100_000
