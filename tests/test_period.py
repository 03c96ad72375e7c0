"""Periods: months and quarters (docs/field.md)."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.errors import UsageError
from five_precisions.period import SHANGHAI, Period, Quarter, parse_day

periods = st.builds(Period, st.integers(2000, 2999), st.integers(1, 12))


@pytest.mark.parametrize(
    ("written", "begin", "end"),
    [
        ("2019-06", date(2019, 6, 1), date(2019, 6, 30)),
        ("2019-12", date(2019, 12, 1), date(2019, 12, 31)),
        ("2019-02", date(2019, 2, 1), date(2019, 2, 28)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
    ],
)
def test_a_period_has_its_days(written: str, begin: date, end: date) -> None:
    period = Period.parse(written)
    assert str(period) == written
    assert (period.begin, period.end) == (begin, end)
    assert Period.of(begin) == Period.of(end) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2019",
        "2019-6",
        "2019-13",
        "2019-00",
        "201906",
        "2019-Q2",
        "2019-06-01",
        " 2019-06",
        "2019-06\n",
        "0000-01",
        "0001-01",
        "1999-12",
        "3000-01",
        "9999-12",
        "\udcff",
        "２０１９-０６",
        "２019-06",
    ],
)
def test_what_is_no_period_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is not a period; write a month as YYYY-MM") as refused:
        Period.parse(text)
    assert refused.value.exit_code == 2


def test_the_turn_of_the_year() -> None:
    assert Period(2019, 12).next() == Period(2020, 1)
    assert Period(2020, 1).previous() == Period(2019, 12)


@given(periods)
def test_a_period_is_a_month_of_its_quarter(period: Period) -> None:
    assert period in period.quarter.months


def test_a_quarter_as_people_write_it() -> None:
    assert Quarter(2019, 2).words == "2019年第2季度"


@given(periods)
def test_next_and_previous_undo_each_other(period: Period) -> None:
    assert period.next().previous() == period
    assert period < period.next()
    assert Period.parse(str(period)) == period
    assert (period.next().begin - period.end).days == 1


def test_periods_are_ordered_by_time() -> None:
    shuffled = [Period(2020, 1), Period(2019, 12), Period(2019, 2)]
    assert sorted(shuffled) == [Period(2019, 2), Period(2019, 12), Period(2020, 1)]


def test_the_current_period_is_that_of_shanghai(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            assert tz is SHANGHAI
            return datetime.fromisoformat("2019-06-30T16:00:00+00:00").astimezone(SHANGHAI)

    monkeypatch.setattr("five_precisions.period.datetime", Clock)
    assert Period.current() == Period(2019, 7), "midnight in Shanghai is four in the afternoon UTC"


quarters = st.builds(Quarter, st.integers(2000, 2999), st.integers(1, 4))


@given(quarters)
def test_a_quarter_is_written_and_read_back(quarter: Quarter) -> None:
    assert Quarter.parse(str(quarter)) == quarter


@given(quarters)
def test_a_quarter_follows_the_one_before_without_a_gap(quarter: Quarter) -> None:
    first, second, last = quarter.months
    assert (first.next(), second.next(), last) == (second, last, quarter.last_month)
    assert quarter.previous().last_month.next() == first
    assert quarter.previous() < quarter


@pytest.mark.parametrize(
    "text",
    ["", "2019", "2019-2", "2019-Q5", "2019-Q0", "2019Q2", "0000-Q1", "1999-Q4", "9999-Q1", "2019-q2", "２０１９-Q2"],
)
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a quarter"):
        Quarter.parse(text)


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(UsageError) as refused:
        Period.parse("2" * 100_000)
    assert len(str(refused.value)) < 200


def test_a_day_is_read_as_it_is_written() -> None:
    assert parse_day("2020-02-29") == date(2020, 2, 29)
    assert parse_day("2999-12-31") == date(2999, 12, 31)


@pytest.mark.parametrize(
    "text",
    ["", "2019-02-29", "2019-7-5", "2019-06", "20190705", "0001-01-01", "9999-12-31", "２０１９-07-05", "2019-07-05\n"],
)
def test_what_is_no_day_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is not a day; write it as YYYY-MM-DD"):
        parse_day(text)
