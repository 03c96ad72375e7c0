"""Deadlines that ops move: for all, for one, earlier, later; and everywhere the same answer.

See docs/intake.md#its-life.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from five_precisions.collection import close, collect
from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures.inputs import load_inputs, period_parameters, run_statement
from five_precisions.intake import ReportState, last_deadline, move_deadline, read_deadline, read_deadlines, read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.receipt_wording import deadline_words
from five_precisions.receipts.receipts import read_receipt
from five_precisions.settings import Settings
from tests.packages import JUNE, put, sound_package

BY_CALENDAR = datetime(2019, 7, 11, tzinfo=SHANGHAI)
DELIVERED = datetime(2019, 7, 3, 10, tzinfo=SHANGHAI)
"""When `put` says that files were changed last."""


def midnight_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)


def deadlines(engine: Engine, settings: Settings, *codes: str) -> list[datetime]:
    return [read_deadline(engine, settings, JUNE, code) for code in codes]


def grid_of(engine: Engine, code: str) -> ReportState:
    [found] = [row for row in read_status(engine, JUNE) if (row.institution_code, row.report) == (code, "grid")]
    return found


def test_a_deadline_is_the_calendars_until_it_is_moved(engine: Engine, settings: Settings) -> None:
    assert deadlines(engine, settings, "B01", "C01", "Z01") == [BY_CALENDAR] * 3
    with engine.connect() as connection:
        found = read_deadlines(connection, JUNE)
    assert len(found) == 17
    assert {(each.deadline_at, each.reason, each.is_own) for each in found} == {(BY_CALENDAR, None, False)}
    assert found[0].last_day == date(2019, 7, 10)


def test_a_deadline_moves_for_all_and_for_one_and_the_newest_decision_holds(engine: Engine, settings: Settings) -> None:
    moved = move_deadline(engine, settings, JUNE, date(2019, 7, 15), "  台风\n“艾云尼” ")
    assert (moved.deadline_at, moved.reason, moved.overruled) == (
        midnight_after(date(2019, 7, 15)),
        "台风 “艾云尼”",
        (),
    )
    assert deadlines(engine, settings, "B01", "B02") == [midnight_after(date(2019, 7, 15))] * 2

    move_deadline(engine, settings, JUNE, date(2019, 7, 18), "系统升级", institution="B02")
    assert deadlines(engine, settings, "B01", "B02") == [
        midnight_after(date(2019, 7, 15)),
        midnight_after(date(2019, 7, 18)),
    ]
    # Earlier than before, and for all: what B02 was promised is named, so that ops can renew it.
    again = move_deadline(engine, settings, JUNE, date(2019, 7, 12), "省行要求提前")
    assert [(each.institution_code, each.last_day, each.reason) for each in again.overruled] == [
        ("B02", date(2019, 7, 18), "系统升级")
    ]
    assert deadlines(engine, settings, "B01", "B02") == [midnight_after(date(2019, 7, 12))] * 2
    with engine.connect() as connection:
        history = connection.execute(
            text("select institution_code, reason from registry.deadline_move order by move_number")
        ).all()
        others = read_deadlines(connection, JUNE)
    assert [tuple(row) for row in history] == [(None, "台风 “艾云尼”"), ("B02", "系统升级"), (None, "省行要求提前")]
    assert {each.by_calendar_at for each in others} == {BY_CALENDAR}


@pytest.mark.parametrize(
    ("period", "day", "reason", "institution", "said"),
    [
        (JUNE, date(2019, 7, 15), "台风", "B99", "^B99 is not an institution of the register.$"),
        (JUNE, date(2019, 7, 15), " \n ", None, "^A deadline is moved for a reason"),
        (JUNE, date(2019, 7, 15), "理" * 501, None, "^The reason has 501 characters; 500 are enough.$"),
        (JUNE, date(2019, 7, 15), "台\x00风", None, "^The reason holds the control character U\\+0000"),
        (JUNE, date(2019, 6, 30), "台风", None, "^2019-06-30 does not lie after 2019-06"),
        (JUNE, date(2999, 12, 31), "台风", None, "^2999-12-31 lies too far ahead; the deadline of 2019-06 can be 2"),
        (Period(2199, 1), date(2199, 2, 1), "台风", None, "^2199-01 has not begun.$"),
    ],
)
def test_what_makes_no_deadline_is_refused_in_one_sentence(
    engine: Engine, settings: Settings, period: Period, day: date, reason: str, institution: str | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        move_deadline(engine, settings, period, day, reason, institution=institution)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from registry.deadline_move")).scalar_one() == 0


def test_a_closed_institution_has_no_deadline(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        connection.execute(text("update registry.institution set closed_on = '2019-05-01' where code = 'B03'"))
    with pytest.raises(UsageError, match="B03 is not open in 2019-06"):
        move_deadline(engine, settings, JUNE, date(2019, 7, 15), "台风", institution="B03")
    move_deadline(engine, settings, JUNE, date(2019, 7, 15), "台风")
    with engine.connect() as connection:
        assert "B03" not in {each.institution_code for each in read_deadlines(connection, JUNE)}


def test_the_deadlines_of_a_closed_month_do_not_move(engine: Engine, settings: Settings, delivered: object) -> None:
    close(engine, settings, JUNE)
    with pytest.raises(RefusedError, match=r"^2019-06 is closed; its deadlines do not move any more.$"):
        move_deadline(engine, settings, JUNE, date(2019, 7, 15), "台风", institution="B01")


@pytest.fixture
def delivered(engine: Engine, settings: Settings, inbox: Path) -> Iterator[Connection]:
    """B01 and B02 have delivered one sound report on 3 July; a connection to look at it."""
    for code in ("B01", "B02"):
        put(inbox / code, sound_package("grid"))
    collect(engine, settings, JUNE, replay=True)
    with engine.connect() as connection:
        yield connection


def test_status_and_receipt_follow_the_institutions_own_deadline(
    engine: Engine, settings: Settings, delivered: Connection
) -> None:
    assert (grid_of(engine, "B01").on_time, grid_of(engine, "B02").on_time) == (True, True)
    move_deadline(engine, settings, JUNE, date(2019, 7, 2), "提前", institution="B02")
    assert (grid_of(engine, "B01").on_time, grid_of(engine, "B02").on_time) == (True, False)
    assert grid_of(engine, "B02").late
    receipts = {code: read_receipt(delivered, f"2019-06-{code}-1") for code in ("B01", "B02")}
    assert {code: (receipt.is_late, deadline_words(receipt.deadline_at)) for code, receipt in receipts.items()} == {
        "B01": (False, "2019年7月10日 24:00"),
        "B02": (True, "2019年7月2日 24:00"),
    }
    # Later again, after it was late by the earlier one: on time.
    move_deadline(engine, settings, JUNE, date(2019, 7, 3), "恢复", institution="B02")
    assert grid_of(engine, "B02").on_time
    move_deadline(engine, settings, JUNE, date(2019, 7, 2), "全部提前")
    assert (grid_of(engine, "B01").on_time, grid_of(engine, "B02").on_time) == (False, False)


def test_missing_begins_with_the_institutions_own_deadline(engine: Engine, settings: Settings) -> None:
    month = Period.current().previous()
    today = datetime.now(SHANGHAI).date()
    move_deadline(engine, settings, month, today + timedelta(days=5), "台风")
    # The day before the 1st is no deadline; on the 1st nobody's can have passed yet.
    if today.day > 1:
        move_deadline(engine, settings, month, today - timedelta(days=1), "提前", institution="B02")
    states = {row.institution_code: row.state for row in read_status(engine, month) if row.report == "grid"}
    assert states["B01"] == "expected"
    assert states["B02"] == ("missing" if today.day > 1 else "expected")


def test_the_figures_judge_who_was_on_time_by_the_same_deadline(
    engine: Engine, settings: Settings, delivered: Connection
) -> None:
    move_deadline(engine, settings, JUNE, date(2019, 7, 2), "提前", institution="B02")
    close(engine, settings, JUNE)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "values ('2019-06-r1', '2019-06', 1, now(), '', '', '', '', true)"
            )
        )
        parameters = period_parameters(connection, JUNE) | {"run_id": "2019-06-r1"}
        load_inputs(connection, parameters)
        run_statement(connection, "marts/reporting", parameters)
        found = connection.execute(
            text("select institution_code, on_time from mart.reporting where report = 'grid' and version = 1")
        ).all()
        connection.rollback()
    assert {tuple(row) for row in found} == {("B01", True), ("B02", False)}


def test_the_month_closes_when_the_last_deadline_has_passed(
    engine: Engine, settings: Settings, delivered: object
) -> None:
    tomorrow = datetime.now(SHANGHAI).date() + timedelta(days=1)
    move_deadline(engine, settings, JUNE, tomorrow, "服务器故障", institution="B07")
    with engine.connect() as connection:
        assert last_deadline(connection, JUNE) == midnight_after(tomorrow)
    with pytest.raises(RefusedError, match=f"^2019-06 cannot be closed before its deadline, {tomorrow} 23:59"):
        close(engine, settings, JUNE)
    move_deadline(engine, settings, JUNE, date(2019, 7, 12), "已恢复", institution="B07")
    assert close(engine, settings, JUNE).is_new


def test_a_move_waits_for_a_close_that_is_under_way(engine: Engine, settings: Settings) -> None:
    """Else a month would be closed whose deadline lies ahead."""
    read_deadline(engine, settings, JUNE, "B01")
    said: list[str] = []

    def move() -> None:
        try:
            move_deadline(engine, settings, JUNE, date(2020, 6, 30), "台风")
        except RefusedError as error:
            said.append(str(error))

    with engine.begin() as closing:
        last_deadline(closing, JUNE)
        mover = threading.Thread(target=move)
        mover.start()
        mover.join(0.5)
        assert mover.is_alive()
        closing.execute(text("insert into intake.close (period, closed_at) values ('2019-06', now())"))
    mover.join(60)
    assert said == ["2019-06 is closed; its deadlines do not move any more."]
