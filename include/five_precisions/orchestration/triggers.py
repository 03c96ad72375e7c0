"""Waiting without a worker: for a package in the inbox, or for the deadline."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy.exc
from airflow.triggers.base import BaseTrigger, TriggerEvent

from five_precisions.errors import FivePrecisionsError, UnreachableError
from five_precisions.intake import find_settled, note_settled, read_deadlines
from five_precisions.orchestration.runtime import load_settings
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse

logger = logging.getLogger(__name__)

REST_SECONDS: Final = 10.0
"""Before the first look. A task that is resumed within seconds of its wait can be failed by its own belated exit: its
process ends with a heartbeat, every 5 s, and the executor tells only then (Airflow issue 71580)."""
LOOKUP_SECONDS: Final = 60.0
"""How often the deadlines are looked up: one that ops have moved holds within minutes."""

PACKAGE: Final = "package"
DEADLINE: Final = "deadline"
AGAIN: Final = "second look"


class PackageTrigger(BaseTrigger):
    """Fires when a settled package lies there that was not looked at yet, or at the deadline, wherever that moves to.

    Args:
        period: The month.
        institution: Whose package.
        seen: Fingerprint of what was looked at last, e.g. a package still without a cover; None for nothing.
        until: The deadline, ISO 8601, until it is looked up for the first time.
        poll_seconds: How often it looks into the inbox.
        again_at: When what was looked at is worth a second look, ISO 8601; None for never.
        rest_seconds: How long it sleeps before it first looks.
        lookup_seconds: How often the deadline is looked up.
    """

    def __init__(
        self,
        *,
        period: str,
        institution: str,
        seen: str | None,
        until: str,
        poll_seconds: float,
        again_at: str | None = None,
        rest_seconds: float = REST_SECONDS,
        lookup_seconds: float = LOOKUP_SECONDS,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.period = period
        self.institution = institution
        self.seen = seen
        self.until = until
        self.poll_seconds = poll_seconds
        self.again_at = again_at
        self.rest_seconds = rest_seconds
        self.lookup_seconds = lookup_seconds
        self._is_cut_off = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path of the class and its arguments."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        names = (
            "period", "institution", "seen", "until", "poll_seconds", "again_at", "rest_seconds", "lookup_seconds",
        )  # fmt: skip
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, sleep, look again."""
        settings = await asyncio.to_thread(load_settings)
        await asyncio.sleep(self.rest_seconds)
        # A deadline, or a package, that came while nobody waited, is found by the first look.
        while True:
            event = await asyncio.to_thread(self._look, settings)
            if event is not None:
                yield TriggerEvent(event)  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(self.poll_seconds)

    def _look(self, settings: Settings) -> str | None:
        period = Period.parse(self.period)
        deadline = _BOARD.deadline(settings, period, self.institution, self.lookup_seconds)
        now = datetime.now(SHANGHAI)
        if now >= (deadline or datetime.fromisoformat(self.until)):
            return DEADLINE
        try:
            found = find_settled(settings, period, self.institution)
        except UnreachableError as error:
            # The wait goes on: an inbox that is away for an hour is no reason to end the month's task.
            if not self._is_cut_off:
                logger.warning("%s %s: %s", period, self.institution, error)
            self._is_cut_off = True
            return None
        self._is_cut_off = False
        if found is None:
            return None
        if found != self.seen:
            _note_seen(settings, period, self.institution, found, now)
            return PACKAGE
        return AGAIN if self.again_at is not None and now >= datetime.fromisoformat(self.again_at) else None


def _note_seen(settings: Settings, period: Period, institution: str, found: str, now: datetime) -> None:
    """Whoever judges it may come late, after a restart or behind a queue: the package has come in time all the same."""
    try:
        with open_warehouse(settings) as engine:
            note_settled(engine, period, institution, found, now)
    except (FivePrecisionsError, sqlalchemy.exc.SQLAlchemyError) as error:
        logger.warning("%s %s: when it was seen cannot be noted: %s", period, institution, type(error).__name__)


class _DeadlineBoard:
    """The deadlines as they were a minute ago at most: looked up once for all triggers of a process.

    Three hundred institutions ask every few seconds; one of them reads the warehouse once a minute, for all, by a
    connection that is closed at once. But for the first time nobody waits for it: the others take what was read before.
    """

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._known: dict[tuple[str | None, Period], tuple[float, dict[str, datetime]]] = {}

    def deadline(self, settings: Settings, period: Period, institution: str, seconds: float) -> datetime | None:
        """The institution's deadline, at most so many seconds old; None where it could not be looked up yet."""
        key = (settings.warehouse, period)
        read_at, deadlines = self._known.get(key, (None, {}))
        # Where nothing is known yet, all wait for who reads: the deadline that a wait began with may be an old one.
        if _is_due(read_at, seconds) and self._reading.acquire(blocking=read_at is None):
            try:
                read_at, deadlines = self._known.get(key, (None, {}))
                if _is_due(read_at, seconds):
                    deadlines = _read_board(settings, period) or deadlines
                    self._known[key] = (time.monotonic(), deadlines)
            finally:
                self._reading.release()
        return deadlines.get(institution)


def _is_due(read_at: float | None, seconds: float) -> bool:
    return read_at is None or time.monotonic() - read_at >= seconds


def _read_board(settings: Settings, period: Period) -> dict[str, datetime] | None:
    """The deadlines of all institutions; None while the warehouse does not answer: who waits goes on waiting."""
    try:
        with open_warehouse(settings) as engine, engine.connect() as connection:
            return {each.institution_code: each.deadline_at for each in read_deadlines(connection, period)}
    except (FivePrecisionsError, sqlalchemy.exc.SQLAlchemyError) as error:
        logger.warning("The deadlines of %s cannot be looked up: %s", period, type(error).__name__)
        return None


_BOARD: Final = _DeadlineBoard()
