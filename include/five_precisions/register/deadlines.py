"""Chinese working days and the deadline of a period (spec/03, Its life)."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from five_precisions.errors import SetupError
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings

logger = logging.getLogger(__name__)

DEADLINE_WORKDAYS: Final = 8
_SATURDAY: Final = 5


def load_holidays(settings: Settings) -> dict[date, bool]:
    """Days that holidays.csv (`date, workday`; workday 0 or 1) decides, whatever the calendar says; none without it.

    Raises:
        SetupError: the file is wrong.
    """
    path = settings.reference_file("holidays.csv")
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return {date.fromisoformat(line["date"].strip()): _flag(line["workday"]) for line in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, AttributeError):
        raise SetupError(
            f"{path} is wrong; each line has a date (YYYY-MM-DD) and whether it is a workday (0 or 1)."
        ) from None


def deadline_of(period: Period, holidays: Mapping[date, bool]) -> datetime:
    """The first instant that is too late: midnight in Shanghai after the 8th Chinese working day after the period.

    `holidays` decides the days it names; the others are the public calendar's, and beyond its years weekends are free.
    """
    day = period.end
    left = DEADLINE_WORKDAYS
    while left:
        day += timedelta(days=1)
        left -= is_workday(day, holidays)
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def is_workday(day: date, holidays: Mapping[date, bool]) -> bool:
    """Whether people work that day: public holidays and their make-up days counted."""
    import chinese_calendar

    if day in holidays:
        return holidays[day]
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        logger.warning("The public calendar does not know %s; only weekends and holidays.csv count.", day.year)
        return day.weekday() < _SATURDAY


def _flag(text: str) -> bool:
    if text.strip() not in ("0", "1"):
        raise ValueError(text)
    return text.strip() == "1"
