"""Chinese working days and the deadline of a period (spec/03, Its life)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from five_precisions.errors import SetupError
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings

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
    holidays = {}
    place = str(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            for line in lines:
                place = f"Line {lines.line_num} of {path}"
                holidays[date.fromisoformat(line["date"].strip())] = _flag(line["workday"])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, AttributeError):
        raise SetupError(
            f"{place} is wrong; each line has a date (YYYY-MM-DD) and whether it is a workday (0 or 1)."
        ) from None
    return holidays


def deadline_of(period: Period, holidays: Mapping[date, bool]) -> datetime:
    """The first instant that is too late: midnight in Shanghai after the 8th Chinese working day after the period.

    `holidays` decides the days it names; the others are the public calendar's, and beyond its years weekends are free.
    """
    *_, last = _days_of(period, holidays)
    return datetime.combine(last + timedelta(days=1), time(), SHANGHAI)


def years_unknown(period: Period, holidays: Mapping[date, bool]) -> list[int]:
    """Years of which the public calendar knows nothing, and by whose weekends alone the period's deadline is counted.

    A year counts only for days that `holidays` leaves open.
    """
    return sorted({day.year for day in _days_of(period, holidays) if day not in holidays and not _is_known(day)})


def is_workday(day: date, holidays: Mapping[date, bool]) -> bool:
    """Whether people work that day: public holidays and their make-up days counted."""
    import chinese_calendar

    if day in holidays:
        return holidays[day]
    return bool(chinese_calendar.is_workday(day)) if _is_known(day) else day.weekday() < _SATURDAY


def _is_known(day: date) -> bool:
    import chinese_calendar

    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def _days_of(period: Period, holidays: Mapping[date, bool]) -> Iterator[date]:
    """The days after the period until its 8th working day."""
    day = period.end
    left = DEADLINE_WORKDAYS
    while left:
        day += timedelta(days=1)
        left -= is_workday(day, holidays)
        yield day


def _flag(text: str) -> bool:
    if text.strip() not in ("0", "1"):
        raise ValueError(text)
    return text.strip() == "1"
