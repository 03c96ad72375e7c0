"""Work that other processes share, and that this one does where they cannot (docs/performance.md#several-processes)."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from five_precisions.collection import close, collect, processes
from five_precisions.collection.processes import NoProcessesError, ProcessEndedError, map_by_several
from five_precisions.own_files import VARIABLE
from five_precisions.receipts import findings_workbook, receipt_workbooks
from five_precisions.receipts.receipt_workbooks import CrossWorkbooks, read_cross_findings
from five_precisions.settings import Settings
from tests.collection.test_turns import BANKS
from tests.packages import JUNE, package, put, sound, sound_package

LOADED = "five_precisions.collection.preloaded"
NUMBERS = range(10)
by_two = map_by_several(2, LOADED, least=len(NUMBERS))


def is_other() -> bool:
    return multiprocessing.parent_process() is not None


def by_another(number: int) -> tuple[int, bool]:
    logging.getLogger("five_precisions").warning("%d is done", number)
    return number, is_other()


def end_at_five(number: int) -> int:
    if number == 5 and is_other():
        os._exit(9)
    return number


def refuse_five(number: int) -> int:
    if number == 5:
        raise ValueError(number)
    return number


def test_other_processes_do_the_work_in_its_order_and_what_they_log_is_logged_here(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert list(by_two(by_another, NUMBERS)) == [(number, True) for number in NUMBERS]
    assert [message for message in caplog.messages if "is done" in message] == [f"{each} is done" for each in NUMBERS]


def test_who_asks_processes_of_which_one_was_ended_hears_so() -> None:
    with processes.started(2, LOADED) as workers:
        with pytest.raises(ProcessEndedError, match="ended from outside"):
            workers.submit(end_at_five, 5)()
        with pytest.raises(ProcessEndedError, match="ended from outside"):
            workers.submit(end_at_five, 4)


def test_other_processes_know_the_settings_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that they are forked from has started before a setting was changed."""
    for folder in (None, "/own/one", "/own/two"):
        if folder is not None:
            monkeypatch.setenv(VARIABLE, folder)
        with processes.started(1, LOADED) as workers:
            assert workers.submit(os.getenv, VARIABLE)() == folder


@pytest.mark.parametrize(("count", "numbers"), [(1, NUMBERS), (2, NUMBERS[:-1])], ids=["one process", "little work"])
def test_this_process_does_what_is_not_worth_others(count: int, numbers: range) -> None:
    assert list(map_by_several(count, LOADED, least=len(NUMBERS))(by_another, numbers)) == [
        (number, False) for number in numbers
    ]


def test_a_process_that_is_ended_leaves_its_work_to_this_one(caplog: pytest.LogCaptureFixture) -> None:
    assert list(by_two(end_at_five, NUMBERS)) == list(NUMBERS)
    [said] = [message for message in caplog.messages if "one process does the rest" in message]
    assert said.startswith("A process that shared the work was ended from outside; where memory has run out, name ")


def test_where_none_can_be_started_this_process_does_the_work(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NoProcessesError("No space left on device")

    monkeypatch.setattr(processes, "started", refuse)
    assert list(by_two(end_at_five, NUMBERS)) == list(NUMBERS)
    assert "No space left on device; one process does the rest" in caplog.messages


def test_what_the_work_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="5"):
        list(by_two(refuse_five, NUMBERS))


@pytest.fixture
def frozen(engine: Engine, settings: Settings, inbox: Path) -> Engine:
    """A month in which each of ten banks has lent to a household that stands on no register."""
    for code in BANKS:
        loan = sound("loans", contract_no=f"{code}-1", borrower_kind="农户", household_no="H-nowhere")
        put(inbox / code, package(loans=[loan]))
    put(inbox / "C01", sound_package("households"))
    collect(engine, settings, JUNE)
    return engine


def test_a_close_has_other_processes_make_its_workbooks_which_are_the_same(
    frozen: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Callable[[], bytes]:
        raise AssertionError("this process makes none")

    with monkeypatch.context() as patched:
        patched.setattr("five_precisions.collection.closing._WORTH_PROCESSES", len(BANKS))
        patched.setattr(receipt_workbooks, "render_findings_workbook", refuse)
        closed = close(frozen, settings, JUNE, replay=True, processes=2)
    assert len(closed.cross_checks) >= len(BANKS)
    assert findings_workbook.render_findings_workbook is receipt_workbooks.render_findings_workbook
    with frozen.connect() as connection:
        found = read_cross_findings(connection, closed.cross_checks)
    by_one = CrossWorkbooks(settings).made(found)
    written = {path.read_bytes() for path in Path(settings.outbox_address).rglob("*close*.xlsx")}
    assert {workbook.whole for workbook in by_one.values()} == written
    assert len(written) >= len(BANKS)
