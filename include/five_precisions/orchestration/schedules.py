"""From when to when the monthly DAG runs, as the settings say."""

from __future__ import annotations

from datetime import datetime, time

from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings


def first_run() -> datetime:
    """The run of the first month: midnight in Shanghai after it ends. Unset, the month before this one."""
    first = Settings.load().first_period or Period.current().previous()
    return _after(first)


def last_run() -> datetime | None:
    """The run of the last month, if there is a last one."""
    last = Settings.load().last_period
    return None if last is None else _after(last)


def _after(month: Period) -> datetime:
    return datetime.combine(month.next().begin, time(), SHANGHAI)
