"""Institutions taken in by several processes at once, and recorded one after another, in the order of their codes.

Each process does all the work of an institution: it reads, judges, stages and renders while the others do the same.
Only before it records something it waits until all institutions before its own are done. So the same is recorded, in
the same order, as by one process (docs/performance.md#several-processes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext
from typing import Final

from sqlalchemy import URL

from five_precisions.collection import processes
from five_precisions.collection.deliveries import Collector
from five_precisions.collection.processes import NoProcessesError, ProcessEndedError
from five_precisions.errors import FivePrecisionsError
from five_precisions.intake.findings import Judgement
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse.connection import connected

_PRELOADED: Final = "five_precisions.collection.preloaded"


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


def take_in_by_several(order: Order, codes: Sequence[str], count: int) -> Iterator[list[Judgement]]:
    """Take in what lies there for institutions; what became of it, in the order of the codes.

    What the processes log is logged here, institution by institution. The caller's main module is imported by each of
    them, so it starts nothing when it is imported.

    Args:
        order: What to do.
        codes: Of the institutions.
        count: Processes that work at once, at most.

    Raises:
        FivePrecisionsError: what stops them all, from the first institution that has met it.
        NoProcessesError: none can be started, and nothing was begun.
        ProcessEndedError: a process was ended from outside.
    """
    try:
        turns = Turns(processes.context(_PRELOADED), codes)
    except OSError as error:
        raise NoProcessesError(error.strerror or str(error)) from error
    with processes.started(min(count, len(codes)), _PRELOADED, _begin, order, turns) as workers:
        try:
            for judgements in [workers.submit(_take_in, code) for code in codes]:
                yield judgements()
        except ProcessEndedError as error:
            raise ProcessEndedError(f"{error} What is on record of {order.period} stands; collect again.") from error


# In one of the processes


class _Worker:
    """What this process works with. The first institution that it takes in meets what is wrong with any of it."""

    order: Order
    turns: Turns
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


def _begin(order: Order, turns: Turns) -> None:
    _Worker.order, _Worker.turns = order, turns


def _take_in(code: str) -> list[Judgement]:
    try:
        collector = _Worker.collector()
        [institution] = collector.institutions(code)
        judgements = collector.take_in(institution)
    except BaseException:
        _Worker.turns.stop(code)
        raise
    _Worker.turns.end(code)
    return judgements
