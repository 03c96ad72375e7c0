"""The demo's months, working days and deadlines (docs/intake.md#its-life)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import cache
from typing import Final

from chinese_calendar import get_workdays

from five_precisions.period import Period

FIRST: Final = Period(2019, 1)
LAST: Final = Period(2019, 6)
PERIODS: Final = tuple(Period(2019, month) for month in range(1, 7))
YEAR_BEGIN: Final = date(2018, 12, 31)
MONTH_ENDS: Final = (YEAR_BEGIN, *(period.end for period in PERIODS))
"""The days on which a loan's balance is known: the end of the year before, then each month's end."""
DEADLINE_WORKDAYS: Final = 8


@cache
def _all_workdays() -> tuple[date, ...]:
    return tuple(get_workdays(date(2016, 1, 1), date(2019, 8, 31)))


def workdays_between(first: date, last: date) -> tuple[date, ...]:
    """The Chinese working days (public holidays and their make-up days counted) from first to last."""
    days = _all_workdays()
    return days[bisect_left(days, first) : bisect_right(days, last)]


def workdays(period: Period) -> tuple[date, ...]:
    """The working days of a month."""
    return workdays_between(period.begin, period.end)


def deadline(period: Period) -> date:
    """The 8th working day after the period; a package is on time until the end of it."""
    return workdays(period.next())[DEADLINE_WORKDAYS - 1]


def delivery_days(period: Period) -> tuple[date, ...]:
    """The days on which punctual institutions deliver: working days from the 2nd to the 8th of the month after."""
    following = period.next()
    first = following.begin + timedelta(days=1)
    return workdays_between(first, following.begin + timedelta(days=7))


def add_months(day: date, months: int) -> date:
    """The same day some months on; days after the 28th become the 28th, which every month has."""
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, min(day.day, 28))


def full_months(first: date, last: date) -> int:
    """Whole months from first to last."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - (last.day < min(first.day, 28))


def month_index(period: Period) -> int:
    """Where the period's end stands in MONTH_ENDS."""
    return MONTH_ENDS.index(period.end)
