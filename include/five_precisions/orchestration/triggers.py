"""Waiting without a worker: for a package in the inbox, or for the deadline."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy.exc
from airflow.triggers.base import BaseTrigger, TriggerEvent

from five_precisions.errors import FivePrecisionsError, UnreachableError
from five_precisions.installation import open_installation
from five_precisions.intake import look_for_package, note_settled, read_deadlines
from five_precisions.orchestration.runtime import load_settings
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings
from five_precisions.warehouse import read_clock

logger = logging.getLogger(__name__)

REST_SECONDS: Final = 10.0
"""Before the first look. A task that is resumed within seconds of its wait can be failed by its own belated exit. Its
process ends with a heartbeat, every 5 s, and the executor reports it only then (Airflow issue 71580)."""
SHORTEST_REST_SECONDS: Final = 0.1
"""Between two looks, whatever the times of files say."""
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
        poll_seconds: How often it looks into the inbox; files that it has seen there it looks at when they settle.
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
        self._is_inbox_away = False
        self._settles_at: datetime | None = None

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
            await asyncio.sleep(self._rest())

    def _rest(self) -> float:
        """Seconds until the next look: fewer than ever where files that were seen will have settled by then."""
        if self._settles_at is None:
            return self.poll_seconds
        left = (self._settles_at - datetime.now(SHANGHAI)).total_seconds()
        return min(self.poll_seconds, max(left, SHORTEST_REST_SECONDS))

    def _look(self, settings: Settings) -> str | None:
        period = Period.parse(self.period)
        known = _CACHE.look(settings, period, self.lookup_seconds)
        now = known.now()
        if now >= known.deadlines.get(self.institution, datetime.fromisoformat(self.until)):
            return DEADLINE
        try:
            sighting = look_for_package(settings, period, self.institution)
        except UnreachableError as error:
            # The wait goes on: an inbox that is away for an hour is no reason to end the month's task.
            if not self._is_inbox_away:
                logger.warning("%s %s: %s", period, self.institution, error)
            self._is_inbox_away = True
            return None
        self._is_inbox_away = False
        found, self._settles_at = sighting.fingerprint, sighting.settles_at
        if found is None:
            return None
        if found != self.seen:
            _note_seen(settings, period, self.institution, found)
            return PACKAGE
        return AGAIN if self.again_at is not None and now >= datetime.fromisoformat(self.again_at) else None


def _note_seen(settings: Settings, period: Period, institution: str, found: str) -> None:
    """Whoever judges it may come late, after a restart or behind a queue: the package has come in time all the same."""
    try:
        with open_installation(settings) as (engine, _):
            note_settled(engine, period, institution, found)
    except (FivePrecisionsError, sqlalchemy.exc.SQLAlchemyError) as error:
        logger.warning("%s %s: when it was seen cannot be noted: %s", period, institution, _reason(error))


@dataclass(frozen=True, slots=True)
class _KnownDeadlines:
    """The deadlines of a period as they were when they were read, and the database's clock, by which they pass."""

    deadlines: Mapping[str, datetime]
    """By institution; none where nothing could be looked up yet."""
    clock: datetime | None
    read_at: float
    """By the clock of this process that never goes back."""

    def now(self) -> datetime:
        """The database's time; this machine's until it could be asked."""
        if self.clock is None:
            return datetime.now(SHANGHAI)
        return self.clock + timedelta(seconds=time.monotonic() - self.read_at)


class _DeadlineCache:
    """The deadlines as they were a minute ago at most: looked up once for all triggers of a process.

    Three hundred institutions ask every few seconds; one of them reads the warehouse once a minute, for all, by a
    connection that is closed at once. But for the first time nobody waits for it: the others take what was read before.
    """

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._known: dict[tuple[str | None, Period], tuple[float, _KnownDeadlines]] = {}

    def look(self, settings: Settings, period: Period, seconds: float) -> _KnownDeadlines:
        """What is known of the period, looked up at most so many seconds ago, if it could be."""
        key = (settings.warehouse, period)
        tried_at, known = self._known.get(key, (None, _NONE_KNOWN))
        # Where nothing is known yet, all wait for who reads: the deadline that a wait began with may be an old one.
        if _is_due(tried_at, seconds) and self._reading.acquire(blocking=tried_at is None):
            try:
                tried_at, known = self._known.get(key, (None, _NONE_KNOWN))
                if _is_due(tried_at, seconds):
                    known = _read_known_deadlines(settings, period) or known
                    self._known[key] = (time.monotonic(), known)
            finally:
                self._reading.release()
        return known


def _is_due(tried_at: float | None, seconds: float) -> bool:
    return tried_at is None or time.monotonic() - tried_at >= seconds


def _read_known_deadlines(settings: Settings, period: Period) -> _KnownDeadlines | None:
    """The deadlines of all institutions; None while the warehouse does not answer: who waits goes on waiting."""
    try:
        with open_installation(settings) as (engine, _), engine.connect() as connection:
            deadlines = {each.institution_code: each.deadline_at for each in read_deadlines(connection, period)}
            return _KnownDeadlines(deadlines, read_clock(connection), time.monotonic())
    except (FivePrecisionsError, sqlalchemy.exc.SQLAlchemyError) as error:
        logger.warning("The deadlines of %s cannot be looked up: %s", period, _reason(error))
        return None


def _reason(error: FivePrecisionsError | sqlalchemy.exc.SQLAlchemyError) -> str:
    """Our own sentence, which says what to do, such as bringing back a key; of others only their kind."""
    return str(error) if isinstance(error, FivePrecisionsError) else type(error).__name__


_NONE_KNOWN: Final = _KnownDeadlines({}, None, 0)
_CACHE: Final = _DeadlineCache()
