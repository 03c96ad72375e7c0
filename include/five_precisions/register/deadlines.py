"""Chinese working days and the deadline of a period (docs/intake.md#deadline)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from five_precisions.period import SHANGHAI, Period
from five_precisions.reference import find_reference, load_table
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from holidays import HolidayBase

DEADLINE_WORKDAYS: Final = 8


def load_holidays(settings: Settings) -> dict[date, bool]:
    """Days that holidays.csv (`date, workday`; workday 0 or 1) decides, whatever the calendar says; none without it.

    A day that the file decides as the calendar does changes nothing, and may stand there: arrangements are announced
    with the weekends that lie in them.

    Raises:
        SetupError: the file is wrong.
    """
    path = find_reference(settings, "holidays.csv")
    if not os.path.lexists(path):
        return {}
    holidays: dict[date, bool] = {}
    for line in load_table(path, ("date", "workday")):
        day, is_workday_then = line.day("date"), bool(line.whole("workday", 0, 1))
        if day in holidays:
            other = "as another" if holidays[day] is not is_workday_then else "already"
            raise line.wrong(f"{day} stands in an earlier line {other}")
        holidays[day] = is_workday_then
    return holidays


def deadline_of(period: Period, holidays: Mapping[date, bool]) -> datetime:
    """The first instant that is too late: midnight in Shanghai after the 8th Chinese working day after the period.

    `holidays` decides the days it names; the others are the public calendar's. Beyond its years those days are free
    that the law sets free.
    """
    *_, last = _days_of(period, holidays)
    return datetime.combine(last + timedelta(days=1), time(), SHANGHAI)


def years_unknown(period: Period, holidays: Mapping[date, bool]) -> list[int]:
    """Years whose days off are not announced, and on whose statutory days off the period's deadline rests.

    A year counts only for days that `holidays` leaves open.
    """
    return sorted({day.year for day in _days_of(period, holidays) if day not in holidays and not _is_known(day)})


def is_workday(day: date, holidays: Mapping[date, bool]) -> bool:
    """Whether people work that day: public holidays and their make-up days counted.

    While a year's arrangement is not announced, no make-up day is known: weekends and statutory days off are free.
    A statutory day off that falls on a weekend is made up for on the next working day, as the law has it.
    """
    import chinese_calendar

    if day in holidays:
        return holidays[day]
    if _is_known(day):
        return bool(chinese_calendar.is_workday(day))
    return _calendar_by_law(day.year).is_working_day(day)


def last_day_of(deadline_at: datetime) -> date:
    """The last day in Shanghai that is in time."""
    return (deadline_at.astimezone(SHANGHAI) - timedelta(microseconds=1)).date()


@cache
def _calendar_by_law(year: int) -> HolidayBase:
    """Of one year: it is whole before another thread sees it, while a calendar that grows is not."""
    from holidays import country_holidays

    return country_holidays("CN", years=year)


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
