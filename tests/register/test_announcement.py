"""Deadlines that are counted before the year's days off are announced (docs/intake.md#deadline)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.intake import move_deadline
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts import post_reminders
from five_precisions.register import describe_open_deadlines, last_day_of, open_period
from five_precisions.settings import Settings

DECEMBER = Period(2026, 12)
BY_LAW = date(2027, 1, 13)
UNANNOUNCED = "2027年放假安排尚未公布，2026-12报送期限按法定节假日推算为2027-01-13；公布后请更新 holidays.csv 或升级。"


def announced(settings: Settings, folder: Path, arrangement: Mapping[date, int], days: int = 20) -> Settings:
    """Settings with a holidays.csv that decides the first days of January 2027, these days otherwise than the law."""
    first = date(2027, 1, 1)
    usual = {first + timedelta(days=number): 0 for number in range(days)}
    usual = {day: int(day.weekday() < 5 and day != first) for day in usual} | dict(arrangement)
    lines = [f"{day},{workday}" for day, workday in sorted(usual.items())]
    folder.mkdir(exist_ok=True)
    (folder / "holidays.csv").write_text("\n".join(["date,workday", *lines]) + "\n", encoding="utf-8")
    return settings.model_copy(update={"reference": folder})


def opened(engine: Engine, settings: Settings, period: Period = DECEMBER) -> date:
    """The last day in time once the month was opened, or looked at again."""
    with engine.begin() as connection:
        open_period(connection, settings, period)
        stored = "select deadline_at from registry.period where period = :period"
        return last_day_of(connection.execute(text(stored), {"period": str(period)}).scalar_one())


def test_ops_are_told_of_a_deadline_by_law_until_every_day_of_it_is_decided(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    engine = register_saved_engine
    assert opened(engine, settings, Period(2019, 6)) == date(2019, 7, 10)
    assert describe_open_deadlines(engine, settings) == []
    assert opened(engine, settings) == BY_LAW
    assert describe_open_deadlines(engine, settings) == [UNANNOUNCED]
    a_day_short = announced(settings, tmp_path / "short", {}, days=12)
    assert describe_open_deadlines(engine, a_day_short) == [UNANNOUNCED]
    assert describe_open_deadlines(engine, announced(settings, tmp_path / "whole", {}, days=13)) == []


def test_a_deadline_moves_later_when_the_arrangement_is_announced_and_never_back(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = register_saved_engine
    assert opened(engine, settings) == BY_LAW
    later = announced(settings, tmp_path / "later", {date(2027, 1, 4): 0})
    with caplog.at_level("INFO"):
        assert opened(engine, later) == date(2027, 1, 14)
    assert "2026-12报送期限按现行日历由2027-01-13顺延至2027-01-14" in caplog.text
    assert describe_open_deadlines(engine, later) == []
    assert opened(engine, settings) == date(2027, 1, 14), "never back"


def test_a_deadline_stays_and_ops_are_told_where_the_announced_one_is_earlier(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    engine = register_saved_engine
    assert opened(engine, settings) == BY_LAW
    earlier = announced(settings, tmp_path, {date(2027, 1, 9): 1})
    assert opened(engine, earlier) == BY_LAW
    [told] = describe_open_deadlines(engine, earlier)
    assert told == (
        "2026-12报送期限按现行日历应为2027-01-12，早于已定的2027-01-13；已定期限不自动提前，"
        "如需提前请执行 five-precisions deadline 2026-12 2027-01-12 --reason 原因。"
    )


def test_a_deadline_that_ops_have_decided_rests_on_no_calendar(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = register_saved_engine
    opened(engine, settings)
    monkeypatch.setattr(Period, "current", lambda: Period(2027, 1))
    move_deadline(engine, settings, DECEMBER, date(2027, 1, 20), "系统升级", institution="B01")
    assert describe_open_deadlines(engine, settings) == [UNANNOUNCED], "the others' still does"
    move_deadline(engine, settings, DECEMBER, date(2027, 1, 20), "系统升级")
    assert describe_open_deadlines(engine, settings) == []
    opened(engine, announced(settings, tmp_path, {date(2027, 1, 4): 0}))
    with engine.connect() as connection:
        held = "select distinct deadline_at from registry.deadline where period = '2026-12'"
        assert last_day_of(connection.execute(text(held)).scalar_one()) == date(2027, 1, 20)


def test_the_deadline_of_a_closed_month_stays_as_it_is(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    engine = register_saved_engine
    opened(engine, settings)
    later = announced(settings, tmp_path, {date(2027, 1, 4): 0})
    with engine.begin() as closing:
        # While the close is under way, who looks waits for it.
        closing.execute(text("select from registry.period where period = '2026-12' for share"))
        found: list[date] = []
        looker = threading.Thread(target=lambda: found.append(opened(engine, later)))
        looker.start()
        looker.join(0.5)
        assert looker.is_alive()
        closing.execute(text("insert into intake.close (period, closed_at) values ('2026-12', now())"))
    looker.join(60)
    assert found == [BY_LAW]
    assert describe_open_deadlines(engine, settings) == []


def test_reminders_name_the_day_that_the_announced_arrangement_gives(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = register_saved_engine
    opened(engine, settings)
    later = announced(settings, tmp_path, {date(2027, 1, 4): 0})
    monkeypatch.setattr(Period, "current", lambda: Period(2027, 1))
    keys = post_reminders(engine, later, now=datetime(2027, 1, 11, 9, tzinfo=SHANGHAI))
    assert len(keys) == 17
    assert {key.rpartition("/")[2] for key in keys} == {"before-3-2027-01-14"}
