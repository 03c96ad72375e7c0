"""Waiting without a worker: for a package in the inbox, or for the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from five_precisions.intake import find_settled
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings


class PackageTrigger(BaseTrigger):
    """Fires when a settled package lies there that was not looked at yet, or at the deadline.

    Args:
        period: The month.
        institution: Whose package.
        seen: Fingerprint of what was looked at last, e.g. a package still without a cover; None for nothing.
        until: The deadline, ISO 8601.
        poll_seconds: How often it looks; also how long it sleeps before it first fires, for a task that is resumed at
            once can be failed by its own belated exit (Airflow issue 71580).
    """

    def __init__(self, period: str, institution: str, seen: str | None, until: str, poll_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.period = period
        self.institution = institution
        self.seen = seen
        self.until = until
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path of the class and its arguments."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        names = ("period", "institution", "seen", "until", "poll_seconds")
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, sleep, look again."""
        settings, period, until = Settings.load(), Period.parse(self.period), datetime.fromisoformat(self.until)
        while True:
            await asyncio.sleep(self.poll_seconds)
            if datetime.now(SHANGHAI) >= until:
                yield TriggerEvent("deadline")  # type: ignore[no-untyped-call]
                return
            found = await asyncio.to_thread(find_settled, settings, period, self.institution)
            if found is not None and found != self.seen:
                yield TriggerEvent("package")  # type: ignore[no-untyped-call]
                return
