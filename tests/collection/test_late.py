"""What comes too late: found however long ago, taken in, marked late; the close stays (docs/intake.md#its-life)."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import close, collect_late
from five_precisions.intake import State, move_deadline, read_status
from five_precisions.intake.inbox import Inbox
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings
from tests.packages import JUNE, package, put, sound, sound_package

MARCH = Period(2014, 3)


@pytest.fixture
def engine(engine: Engine, settings: Settings) -> Engine:
    """June 2019 and March 2014 are closed; nobody has delivered."""
    for month in (JUNE, MARCH):
        close(engine, settings.model_copy(update={"first_period": month}), month)
    return engine


def deliver(settings: Settings, period: Period, code: str) -> Path:
    """A sound package that lies there for a minute."""
    folder = Path(settings.inbox_address) / str(period) / code
    put(folder, package(grid=[sound("grid", head=code)]), at=datetime.fromtimestamp(time.time() - 60, SHANGHAI))
    return folder


def frozen(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from intake.frozen_report")).scalar_one())


def test_late_packages_of_every_closed_month_are_taken_in(engine: Engine, settings: Settings) -> None:
    folders = [deliver(settings, JUNE, "B01"), deliver(settings, JUNE, "B02"), deliver(settings, MARCH, "B03")]
    assert [(each.period, each.institution_code, each.verdict) for each in collect_late(engine, settings)] == [
        ("2014-03", "B03", "accepted"),
        ("2019-06", "B01", "accepted"),
        ("2019-06", "B02", "accepted"),
    ]
    assert not [file for folder in folders for file in folder.iterdir()]
    late = {row.institution_code: row.late for row in read_status(engine, JUNE) if row.report == "grid"}
    assert (late["B01"], late["B02"], late["B03"]) == (True, True, False)
    assert frozen(engine) == 0
    assert (Path(settings.outbox_address) / "2014-03" / "B03" / "receipt-v1.html").exists()
    assert collect_late(engine, settings) == []


def test_a_month_that_is_open_is_left_to_those_who_wait_for_it(engine: Engine, settings: Settings) -> None:
    """But for an institution whose own deadline has passed: nobody waits for it any more."""
    month = Period.current().previous()
    today = datetime.now(SHANGHAI).date()
    move_deadline(engine, settings, month, today + timedelta(days=5), "台风")
    move_deadline(engine, settings, month, month.end + timedelta(days=1), "提前", institution="B02")
    for code in ("B01", "B02"):
        deliver(settings, month, code)
    now = datetime.combine(month.end + timedelta(days=2), datetime.min.time(), SHANGHAI)
    assert [each.institution_code for each in collect_late(engine, settings, now=now)] == ["B02"]
    assert list((Path(settings.inbox_address) / str(month) / "B01").iterdir())


def test_one_institutions_trouble_does_not_stop_the_others(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {code: deliver(settings, JUNE, code) for code in ("B01", "B02")}
    real = Inbox.read

    def read(inbox: Inbox, delivery: Any) -> Any:
        if delivery.institution_code == "B01":
            raise ZeroDivisionError
        return real(inbox, delivery)

    monkeypatch.setattr(Inbox, "read", read)
    assert [(each.institution_code, each.verdict) for each in collect_late(engine, settings)] == [
        ("B01", State.FAILED),
        ("B02", "accepted"),
    ]
    assert list(folders["B01"].iterdir())


def test_a_replay_and_months_out_of_bounds_are_left_alone(engine: Engine, settings: Settings) -> None:
    deliver(settings, JUNE, "B01")
    deliver(settings, MARCH, "B01")
    assert collect_late(engine, settings.model_copy(update={"replay": True})) == []
    bounded = settings.model_copy(update={"first_period": Period(2019, 1)})
    assert [each.period for each in collect_late(engine, bounded)] == ["2019-06"]


def test_only_folders_that_are_there_are_looked_into(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five years of three hundred institutions, three of which have a folder: a listing for each, and few beside."""
    periods = [Period(year, month) for year in range(2014, 2019) for month in range(1, 13)]
    places = [(period, f"B{number:03d}") for period in periods for number in range(300)]
    deliver(settings, periods[7], "B001")
    deliver(settings, periods[7], "B299")
    (Path(settings.inbox_address) / str(periods[9]) / "B003").mkdir(parents=True)
    listed: list[str] = []
    real = Inbox._list

    def count(inbox: Inbox, folder: str) -> Any:
        listed.append(folder)
        return real(inbox, folder)

    monkeypatch.setattr(Inbox, "_list", count)
    found = Inbox(settings.inbox_address).holding(places)
    assert found == [(periods[7], "B001"), (periods[7], "B299")]
    assert len(listed) <= 12


@pytest.mark.parametrize("layout", ["{institution}/{period}", "{period}/in/{institution}", "{institution}"])
def test_what_lies_there_is_found_in_every_layout(settings: Settings, layout: str) -> None:
    path = layout if "{period}" in layout else f"{layout}/{{period}}"
    folder = Path(settings.inbox_address) / path.format(period=JUNE, institution="B02")
    put(folder, sound_package("grid"))
    inbox = Inbox(f"{settings.inbox_address}/{layout}")
    assert inbox.holding([(JUNE, "B01"), (JUNE, "B02"), (MARCH, "B02")]) == [(JUNE, "B02")]


def test_a_file_that_is_still_being_written_waits(engine: Engine, settings: Settings) -> None:
    folder = deliver(settings, JUNE, "B01")
    for file in folder.iterdir():
        os.utime(file)
    [judgement] = collect_late(engine, settings)
    assert judgement.verdict is State.INCOMPLETE
