"""Periods: a month `YYYY-MM` and a quarter `YYYY-Qn`, in Asia/Shanghai; and a day as people write it.

See docs/field.md.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from five_precisions.errors import UsageError

SHANGHAI = ZoneInfo("Asia/Shanghai")
_YEAR: Final = "(2[0-9]{3})"
"""Beyond these years a month is a slip, and its days cannot be reckoned with."""
_LONGEST_SHOWN: Final = 40


def _read(form: str, text: str) -> tuple[int, ...] | None:
    """The numbers of a text of this form."""
    match = re.fullmatch(form, text)
    return None if match is None else tuple(map(int, match.groups()))


def _shown(text: str) -> str:
    """What was written, as a sentence may repeat it."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


def parse_day(text: str) -> date:
    """The day written `YYYY-MM-DD`, of the years 2000 to 2999.

    Raises:
        UsageError: the text is not such a day.
    """
    numbers = _read(f"{_YEAR}-([0-9]{{2}})-([0-9]{{2}})", text)
    try:
        return date(*numbers or ())
    except (TypeError, ValueError):
        raise UsageError(
            f"{_shown(text)} is not a day; write it as YYYY-MM-DD, of the years 2000 to 2999, for example 2019-07-15."
        ) from None


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """One calendar month, written `2019-06` everywhere outside Python."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """The period written `YYYY-MM`, of the years 2000 to 2999.

        Raises:
            UsageError: the text is not such a period.
        """
        numbers = _read(f"{_YEAR}-(0[1-9]|1[0-2])", text)
        if numbers is None:
            raise UsageError(
                f"{_shown(text)} is not a period; write a month as YYYY-MM, of the years 2000 to 2999, for example "
                "2019-06."
            )
        return cls(*numbers)

    @classmethod
    def of(cls, day: date) -> Period:
        """The month that a day falls in."""
        return cls(day.year, day.month)

    @classmethod
    def current(cls) -> Period:
        """The month of now in Asia/Shanghai."""
        return cls.of(datetime.now(SHANGHAI).date())

    @property
    def begin(self) -> date:
        """First day."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """Last day (`end` in docs/figures.md)."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def words(self) -> str:
        """The month as people write it: 2019年6月."""
        return f"{self.year}年{self.month}月"

    @property
    def quarter(self) -> Quarter:
        """The quarter that it is a month of."""
        return Quarter(self.year, (self.month + 2) // 3)

    def require_begun(self) -> None:
        """Refuse a month to come.

        Raises:
            UsageError: it is one.
        """
        if self > Period.current():
            raise UsageError(f"{self} has not begun.")

    def next(self) -> Period:
        """The month after."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> Period:
        """The month before."""
        return self.back(1)

    def back(self, months: int) -> Period:
        """The month that lies so many months before."""
        year, month = divmod(12 * self.year + self.month - 1 - months, 12)
        return Period(year, month + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, order=True, slots=True)
class Quarter:
    """Three calendar months, written `2019-Q2` everywhere outside Python."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """The quarter written `YYYY-Qn`, of the years 2000 to 2999.

        Raises:
            UsageError: the text is not such a quarter.
        """
        numbers = _read(f"{_YEAR}-Q([1-4])", text)
        if numbers is None:
            raise UsageError(
                f"{_shown(text)} is not a quarter; write it as YYYY-Qn, of the years 2000 to 2999, for example 2019-Q2."
            )
        return cls(*numbers)

    @property
    def words(self) -> str:
        """The quarter as people write it: 2019年第2季度."""
        return f"{self.year}年第{self.number}季度"

    @property
    def months(self) -> tuple[Period, Period, Period]:
        """Its three months, in order."""
        last = 3 * self.number
        return Period(self.year, last - 2), Period(self.year, last - 1), Period(self.year, last)

    @property
    def last_month(self) -> Period:
        """The month at whose end balances are taken."""
        return self.months[-1]

    def previous(self) -> Quarter:
        """The quarter before."""
        return Quarter(self.year - (self.number == 1), (self.number - 2) % 4 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-Q{self.number}"
