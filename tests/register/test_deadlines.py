"""Chinese working days and deadlines (docs/intake.md#its-life)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from holidays import country_holidays

from five_precisions.period import SHANGHAI, Period
from five_precisions.register import deadline_of, load_holidays, years_unknown
from five_precisions.settings import Settings


@pytest.mark.parametrize(
    ("period", "too_late"),
    [
        (Period(2019, 6), date(2019, 7, 11)),
        # Spring festival 4 to 10 February; the weekend of 2 and 3 February is worked: 1 to 3, 11 to 15.
        (Period(2019, 1), date(2019, 2, 16)),
        # Labour day 1 to 4 May; Sunday 5 May is worked: 5 to 10, 13, 14.
        (Period(2019, 4), date(2019, 5, 15)),
        # Beyond the years of the public calendar the law sets days free, on a weekend the next working day instead.
        (Period(2026, 12), date(2027, 1, 14)),
        (Period(2027, 1), date(2027, 2, 17)),
        (Period(2027, 3), date(2027, 4, 14)),
        (Period(2027, 4), date(2027, 5, 15)),
        (Period(2027, 5), date(2027, 6, 12)),
        (Period(2027, 9), date(2027, 10, 16)),
        (Period(2049, 12), date(2050, 1, 14)),
    ],
)
def test_deadline(period: Period, too_late: date) -> None:
    assert deadline_of(period, {}) == datetime(too_late.year, too_late.month, too_late.day, tzinfo=SHANGHAI)


def test_the_calendar_by_law_and_the_announced_one_agree_on_every_day_that_both_know() -> None:
    """Else a deadline would jump when the announced calendar learns of a year that the other one knew."""
    by_law = country_holidays("CN")
    first = date(2016, 1, 1)
    days = [first + timedelta(days=number) for number in range((date(2027, 1, 1) - first).days)]
    worked = [day for day in days if chinese_calendar.is_workday(day)]
    assert len(days) == 4018
    assert len([day for day in worked if day.weekday() >= 5]) > 40, "weekends that are worked are among them"
    assert [day for day in days if by_law.is_working_day(day)] == worked


def test_holidays_file_decides(tmp_path: Path) -> None:
    (tmp_path / "holidays.csv").write_text("date,workday\n2019-07-01,0\n2019-07-06,1\n2019-07-07,1\n", encoding="utf-8")
    holidays = load_holidays(Settings(reference=tmp_path))
    assert holidays == {date(2019, 7, 1): False, date(2019, 7, 6): True, date(2019, 7, 7): True}
    assert deadline_of(Period(2019, 6), holidays) == datetime(2019, 7, 10, tzinfo=SHANGHAI)


def test_a_day_that_the_file_decides_as_the_calendar_does_may_stand_in_it(tmp_path: Path) -> None:
    """Saturday 6 July is free and Monday 1 July is worked, whatever the file says of them."""
    (tmp_path / "holidays.csv").write_text("workday,date\n0,2019-07-06\n\n1,2019-07-01\n", encoding="utf-8-sig")
    holidays = load_holidays(Settings(reference=tmp_path))
    assert holidays == {date(2019, 7, 6): False, date(2019, 7, 1): True}
    assert deadline_of(Period(2019, 6), holidays) == deadline_of(Period(2019, 6), {})


def test_a_year_that_the_public_calendar_does_not_know_is_named() -> None:
    assert years_unknown(Period(2019, 6), {}) == []
    assert years_unknown(Period(2049, 6), {}) == [2049]
    # Where holidays.csv decides every day, nobody needs to be told.
    decided = {date(2050, 1, day): day % 7 not in (1, 2) for day in range(1, 32)}
    assert years_unknown(Period(2049, 12), decided) == []
    del decided[date(2050, 1, 4)]
    assert years_unknown(Period(2049, 12), decided) == [2050]
