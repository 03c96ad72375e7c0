"""Institutions taken in by several processes at once, and recorded one after another, in the order of their codes.

Each process does all the work of an institution: it reads, judges, stages and renders while the others do the same.
Only before it records something it waits until all institutions before its own are done. So the same is recorded, in
the same order, as by one process (docs/performance.md#several-processes).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from logging.handlers import QueueHandler
from multiprocessing import connection as pipes
from multiprocessing.context import ForkServerContext
from queue import SimpleQueue
from typing import Final

from sqlalchemy import URL

from five_precisions.collection.deliveries import Collector
from five_precisions.errors import FivePrecisionsError
from five_precisions.intake.findings import Judgement
from five_precisions.period import Period
from five_precisions.rights import umask
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse.connection import connected

_PRELOADED: Final = "five_precisions.collection.preloaded"

Taken = tuple[list[Judgement], list[logging.LogRecord]]
"""What became of an institution's deliveries, and what the log has to say of them."""


class ProcessEndedError(FivePrecisionsError):
    """A process that took packages in was ended from outside, as the system does where memory runs out."""


class NoProcessesError(FivePrecisionsError):
    """The system starts no further processes, or has no memory or sockets that they share; nothing was begun."""


class StoppedError(FivePrecisionsError):
    """An institution before this one has found what stops them all, such as a server that does not answer."""


class Turns:
    """Whose turn it is to record: an institution's when all before it are done. Shared by the processes."""

    def __init__(self, context: ForkServerContext, codes: Sequence[str]) -> None:
        """Make the turns of institutions, in the order given."""
        self._places = {code: place for place, code in enumerate(codes)}
        self._changed = context.Condition()
        self._done = context.Array("b", len(codes), lock=False)
        self._last = context.Value("i", len(codes), lock=False)

    def wait(self, code: str) -> None:
        """Wait until all institutions before this one are done.

        Raises:
            StoppedError: one of them has stopped the others.
        """
        place = self._places[code]
        with self._changed:
            self._changed.wait_for(lambda: all(self._done[:place]) or self._last.value < place)
            if self._last.value < place:
                raise StoppedError("An institution before this one could not be taken in.")

    def end(self, code: str) -> None:
        """Say that an institution is done."""
        with self._changed:
            self._done[self._places[code]] = True
            self._changed.notify_all()

    def stop(self, code: str) -> None:
        """Let those after this institution record nothing any more."""
        with self._changed:
            self._last.value = min(self._last.value, self._places[code])
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Order:
    """What the processes are to do."""

    address: URL
    """Of the warehouse, with its password."""
    settings: Settings
    period: Period
    """The month, which is open."""
    replay: bool
    notify_missing_cover: bool


def take_in_by_several(order: Order, codes: Sequence[str], processes: int) -> Iterator[list[Judgement]]:
    """Take in what lies there for institutions; what became of it, in the order of the codes.

    What the processes log is logged here, institution by institution. The caller's main module is imported by each of
    them, so it starts nothing when it is imported.

    Args:
        order: What to do.
        codes: Of the institutions.
        processes: How many work at once, at most.

    Raises:
        FivePrecisionsError: what stops them all, from the first institution that has met it.
        NoProcessesError: none can be started, and nothing was begun.
        ProcessEndedError: a process was ended from outside.
    """
    with ExitStack() as until_end:
        try:
            futures = _start(order, codes, processes, until_end)
        except OSError as error:
            raise NoProcessesError(error.strerror or str(error)) from error
        for future in futures:
            try:
                judgements, records = future.result()
            except BrokenProcessPool as error:
                raise ProcessEndedError(
                    f"A process that took in packages of {order.period} was ended from outside; what is on record "
                    "stands, so collect once more. Where memory has run out, name fewer processes by "
                    f"{PREFIX}PROCESSES."
                ) from error
            _log(records)
            yield judgements


def _start(order: Order, codes: Sequence[str], processes: int, until_end: ExitStack) -> list[Future[Taken]]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    turns = Turns(context, codes)
    own = (logging.getLogger().level, umask())
    workers = ProcessPoolExecutor(min(processes, len(codes)), context, _begin, (order, turns, *own))
    until_end.callback(workers.shutdown, cancel_futures=True)
    return [workers.submit(_take_in, code) for code in codes]


def _log(records: Sequence[logging.LogRecord]) -> None:
    for record in records:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)


# In one of the processes


class _Worker:
    """What this process works with. The first institution that it takes in meets what is wrong with any of it."""

    order: Order
    turns: Turns
    log: SimpleQueue[logging.LogRecord]
    until_end = ExitStack()

    @classmethod
    @cache
    def collector(cls) -> Collector:
        """The process's own, with connections of its own to the warehouse, which end with it."""
        order = cls.order
        return Collector(
            cls.until_end.enter_context(connected(order.address)),
            order.settings,
            order.period,
            replay=order.replay,
            notify_missing_cover=order.notify_missing_cover,
            await_turn=cls.turns.wait,
        )


def _begin(order: Order, turns: Turns, level: int, mask: int) -> None:
    # Who presses Ctrl-C means the process that waits for this one: it lets what has begun come to its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.order, _Worker.turns, _Worker.log = order, turns, SimpleQueue()
    os.umask(mask)
    log = logging.getLogger()
    log.handlers[:] = [QueueHandler(_Worker.log)]
    log.setLevel(level)


def _end_with_parent() -> None:
    """End when the process that has started this one is gone: nobody hands out work or takes results any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        pipes.wait([parent.sentinel])
        os._exit(1)


def _take_in(code: str) -> Taken:
    try:
        collector = _Worker.collector()
        [institution] = collector.institutions(code)
        judgements = collector.take_in(institution)
    except BaseException:
        _Worker.turns.stop(code)
        raise
    _Worker.turns.end(code)
    records: list[logging.LogRecord] = []
    while not _Worker.log.empty():
        records.append(_Worker.log.get())
    return judgements, records
