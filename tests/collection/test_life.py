"""What happens to a package at the seams: with two collectors at once, in stores that refuse, delivered again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Connection, Engine, text

from five_precisions.collection import close, collect
from five_precisions.collection import closing as closing_module
from five_precisions.collection import deliveries as collection_module
from five_precisions.intake import State, comparison, find_settled, note_settled, recording
from five_precisions.intake.findings import Finding
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.rules import checks, own_rows
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import open_period
from five_precisions.settings import Settings
from tests.packages import (
    JUNE,
    cover_file,
    cover_line,
    package,
    put,
    report_file,
    sound,
    sound_package,
    table,
    workbook,
)
from tests.rows import rows

RECEIPT = "receipt/2019-06/B01/b01@example.test/v1"


def keys(engine: Engine) -> list[str]:
    return [row[0] for row in rows(engine, "select message_key from notify.message order by created_at, 1")]


def collected(engine: Engine, settings: Settings) -> list[str]:
    return [str(each.verdict) for each in collect(engine, settings, JUNE)]


# Two at once


@pytest.mark.parametrize("known", [False, True], ids=["a new version", "the same bytes again"])
def test_who_comes_second_sends_nothing(
    known: bool, engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another collector sees, judges and takes out the very same files while we do."""
    before = [RECEIPT]
    if known:
        put(inbox / "B01", sound_package("grid"))
        collect(engine, settings, JUNE)
        before = [*before, f"{RECEIPT}-again"]
    put(inbox / "B01", sound_package("grid"))
    point = "find_recorded" if known else "judge_package"
    own = getattr(collection_module, point)
    others: list[str] = []

    def overtaken(*arguments: Any, **options: Any) -> Any:
        if not others:
            others.append("about to")
            others[:] = collected(engine, settings)
        return own(*arguments, **options)

    monkeypatch.setattr(collection_module, point, overtaken)
    assert collected(engine, settings) == ["repeated"]
    assert others == ["repeated" if known else "accepted"]
    assert [key.partition("-again")[0] + "-again" * ("again" in key) for key in keys(engine)] == before
    assert rows(engine, "select version from intake.submission") == [(1,)]
    assert rows(engine, "select path from intake.taken_file") == []


def test_of_two_registers_with_one_household_judged_at_once_one_is_accepted(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are read and staged before either is recorded (K02): the lock of the period decides."""
    for office in ("C01", "C02", "C03"):
        put(inbox / office, sound_package("households"))
    together = threading.Barrier(3, timeout=60)
    lock = recording.lock_period

    calls = count(1)

    def lock_together(*arguments: Any) -> None:
        # Who then finds what was not to be foreseen locks once more.
        if next(calls) <= together.parties:
            together.wait()
        lock(*arguments)

    monkeypatch.setattr(recording, "lock_period", lock_together)
    with ThreadPoolExecutor() as threads:
        found = list(threads.map(lambda code: collect(engine, settings, JUNE, institution=code), ("C01", "C02", "C03")))
    assert sorted(str(judgement.verdict) for (judgement,) in found) == ["accepted", "rejected", "rejected"]
    assert rows(engine, "select distinct rule, level, key from intake.finding") == [("K02", "critical", "H-1")]
    assert rows(engine, "select count(*) from core.households") == [(1,)]


@pytest.mark.parametrize(
    "recorded", [False, True], ids=["nothing recorded in between", "another one's recorded in between"]
)
def test_nothing_is_compared_twice_unless_something_was_recorded(
    recorded: bool, engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another one delivers while the receipt is prepared is seen all the same (K02)."""
    put(inbox / "C01", sound_package("households"))
    compared: list[str] = []
    lock, compare = recording.lock_period, checks.version_findings

    def record_before(connection: Connection, period: Period) -> None:
        if recorded and compared == ["C01"]:
            put(inbox / "C02", sound_package("households"))
            collect(engine, settings, JUNE, institution="C02")
        lock(connection, period)

    def note_compared(connection: Connection, period: Period, code: str, *names: Any, **options: Any) -> list[Finding]:
        compared.append(code)
        return compare(connection, period, code, *names, **options)

    monkeypatch.setattr(recording, "lock_period", record_before)
    monkeypatch.setattr(comparison, "version_findings", note_compared)
    assert [str(each.verdict) for each in collect(engine, settings, JUNE, institution="C01")] == (
        ["rejected"] if recorded else ["accepted"]
    )
    assert compared == (["C01", "C02", "C01"] if recorded else ["C01"])


def test_what_a_delivery_brings_to_light_is_asked_once(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not be foreseen (X07), so that the delivery is recorded twice, the second time with a new workbook."""
    loans = [sound("loans", contract_no=number, balance="40000") for number in ("HT-1", "HT-2")]
    put(inbox / "B01", package(loans=loans))
    asked: list[str] = []
    ask = own_rows.bring_to_light

    def note_asked(connection: Connection, *names: Any, **options: Any) -> own_rows.BroughtToLight:
        version = connection.execute(text("select max(submission_id) from intake.submission")).scalar_one()
        asked.append(str(version))
        return ask(connection, *names, **options)

    monkeypatch.setattr(recording, "bring_to_light", note_asked)
    assert collected(engine, settings) == ["accepted"]
    assert asked == ["2019-06-B01-1"]
    assert rows(engine, "select rule, key from intake.finding order by key") == [("X07", "HT-1"), ("X07", "HT-2")]
    assert rows(engine, "select rule from intake.standing_check where rule = 'X07'") == [("X07",)]


# Files that cannot be taken out


def test_what_cannot_be_taken_out_is_no_delivery(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of a recorded package left in the inbox is neither judged as a package nor sent another receipt."""
    put(inbox / "B01", sound_package("grid", "loans"))
    remove = LocalFileSystem.rm_file

    def refuse_most(files: LocalFileSystem, path: str) -> None:
        if not path.endswith("grid.csv"):
            raise PermissionError(13, "Permission denied")
        remove(files, path)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "rm_file", refuse_most)
        assert collected(engine, settings) == ["accepted"]
        assert collected(engine, settings) == []
        assert "cannot take a file of B01 out: PermissionError" in caplog.text
        # What comes beside them is taken for itself.
        put(inbox / "B01", [DeliveredFile("v2.xlsx", whole_workbook())])
        assert collected(engine, settings) == ["accepted"]
    assert collected(engine, settings) == []
    assert list((inbox / "B01").iterdir()) == []
    assert keys(engine) == [RECEIPT, RECEIPT[:-1] + "2"]
    assert rows(engine, "select path from intake.taken_file") == []


def whole_workbook(number: str = "W2") -> bytes:
    """A package of one file: a report and its cover."""
    grid = [sound("grid", outlet_code=number)]
    headers = ["报表", "行数", "合计金额", "零报送", "报送人", "联系电话"]
    return workbook(grid=table("grid", grid), 报送说明=[headers, cover_line("grid", grid)])


# The same bytes again


def test_the_same_bytes_under_other_names_are_the_same(engine: Engine, settings: Settings, inbox: Path) -> None:
    content = whole_workbook()
    for name in ("月报.xlsx", "月报(1).XLSX", "月报 最终.xlsx"):
        put(inbox / "B01", [DeliveredFile(name, content)])
        collect(engine, settings, JUNE)
    assert rows(engine, "select version from intake.submission") == [(1,)]
    assert len(keys(engine)) == 3


@pytest.mark.parametrize(
    ("wrong", "right"), [("gird.csv", "grid.csv"), ("grid.txt", "grid.csv"), ("visits.csv", "网格化管理责任表.csv")]
)
def test_a_name_that_says_what_the_file_is_counts(
    wrong: str, right: str, engine: Engine, settings: Settings, inbox: Path
) -> None:
    grid = [sound("grid")]
    for name in (wrong, right):
        put(
            inbox / "B01",
            [cover_file(cover_line("grid", grid)), DeliveredFile(name, report_file("grid", grid).content)],
        )
        collect(engine, settings, JUNE)
    assert rows(engine, "select version, verdict from intake.submission order by 1")[-1] == (2, "accepted")


# When it was received


def test_received_when_it_was_first_seen(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it must be tried, and whoever saw it: the deadline may pass in between."""
    put(inbox / "B01", sound_package("grid"))
    fingerprint = find_settled(settings, JUNE, "B01")
    assert fingerprint is not None
    collect(engine, settings, JUNE, institution="B02")
    note_settled(engine, JUNE, "B01", fingerprint)
    an_hour_ago = "update intake.seen_package set seen_at = seen_at - interval '1 hour' returning seen_at"
    with engine.begin() as connection:
        seen_at = connection.execute(text(an_hour_ago)).scalar_one()
    with monkeypatch.context() as patch:
        patch.setattr(collection_module, "judge_package", lambda *_, **__: 1 // 0)
        assert collected(engine, settings) == [State.FAILED]
    note_settled(engine, JUNE, "B01", fingerprint)
    (judgement,) = collect(engine, settings, JUNE)
    assert judgement.received_at == seen_at
    assert rows(engine, "select fingerprint from intake.seen_package") == []

    put(inbox / "B01", [report_file("position", [sound("position")])])
    collect(engine, settings, JUNE)
    put(inbox / "B01", [cover_file(cover_line("position", [sound("position")]))])
    completed_at = datetime.now(SHANGHAI)
    (judgement,) = collect(engine, settings, JUNE)
    assert judgement.received_at is not None
    assert judgement.received_at >= completed_at, "without its cover it was not complete"


class WrongClock(datetime):
    """A machine's clock that has stopped eighteen years ago."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime(2001, 1, 1, tzinfo=tz)


def test_the_ledgers_times_are_the_databases(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (collection_module, closing_module):
        if hasattr(module, "datetime"):
            monkeypatch.setattr(module, "datetime", WrongClock)
    [(before,)] = rows(engine, "select clock_timestamp()")
    put(inbox / "B01", sound_package("grid"))
    (judgement,) = collect(engine, settings, JUNE)
    assert judgement.received_at is not None
    closed = close(engine, settings, JUNE)
    assert before < judgement.received_at < closed.closed_at


SET_AN_HOUR_BACK = """
update intake.submission
set received_at = received_at + interval '1 hour', recorded_at = recorded_at + interval '1 hour'
"""
"""For what stands in the ledger already, the clock is an hour behind from now on."""


def test_a_clock_set_back_turns_no_order_round(engine: Engine, settings: Settings, inbox: Path) -> None:
    """Versions of an institution, what the close freezes, what is late: each after what it came after."""
    put(inbox / "B01", sound_package("grid"))
    (first,) = collect(engine, settings, JUNE)
    with engine.begin() as connection:
        connection.execute(text(SET_AN_HOUR_BACK))
    put(inbox / "B01", sound_package("position"))
    put(inbox / "B02", sound_package("grid"))
    second, another = collect(engine, settings, JUNE)
    closed = close(engine, settings, JUNE)
    put(inbox / "B01", sound_package("outreach"))
    (late,) = collect(engine, settings, JUNE)

    ledger = rows(engine, "select submission_id, received_at, recorded_at from intake.submission order by recorded_at")
    assert [line[0] for line in ledger] == ["2019-06-B01-1", "2019-06-B01-2", "2019-06-B02-1", "2019-06-B01-3"]
    assert first.received_at is not None
    received = [line[1] for line in ledger if "B01" in line[0]]
    assert received == [first.received_at + timedelta(hours=1), second.received_at, late.received_at]
    assert received == sorted(set(received))
    assert another.received_at is not None
    assert another.received_at < received[0], "another institution's times are its own"
    recorded = [line[2] for line in ledger]
    assert recorded[2] <= closed.closed_at < recorded[3]


def test_what_is_late_is_recorded_after_the_close_of_a_later_month_too(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    """That close has not known it, whatever the clock says: it is told with the next one."""
    put(inbox / "B01", sound_package("loans"))
    collect(engine, settings, JUNE)
    close(engine, settings, JUNE)
    july = Period(2019, 7)
    with engine.begin() as connection:
        open_period(connection, settings, july)
        connection.execute(text("insert into intake.close values ('2019-07', now() + interval '1 hour')"))
    put(inbox / "B01", sound_package("grid"))
    collect(engine, settings, JUNE)
    late = """
    select bool_and(submission.recorded_at > close.closed_at)
    from intake.submission, intake.close
    where submission.submission_id = '2019-06-B01-2'
    """
    assert rows(engine, late) == [(True,)]


def test_a_replay_keeps_the_times_of_its_files(engine: Engine, settings: Settings, inbox: Path) -> None:
    times = [datetime(2019, 7, 5, 9, tzinfo=SHANGHAI), datetime(2019, 7, 4, 9, tzinfo=SHANGHAI)]
    put(inbox / "B01" / "v1", sound_package("grid"), times[0])
    put(inbox / "B01" / "v2", sound_package("position"), times[1])
    assert [each.received_at for each in collect(engine, settings, JUNE, replay=True)] == times


# The close, a second time


def test_what_is_mended_before_the_month_is_closed_anew_is_told_as_mended(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    def lend(bank: str, version: str, balance: str) -> None:
        loan = sound("loans", contract_no=f"HT-{bank}", principal="30000", balance=balance)
        put(inbox / bank / version, package(loans=[loan]))

    lend("B01", "v1", "30000")
    lend("B02", "v1", "30000")
    put(inbox / "C01", sound_package("households"))
    collect(engine, settings, JUNE, replay=True)
    assert close(engine, settings, JUNE, replay=True).cross_checks == ("2019-06-B01-close", "2019-06-B02-close")
    assert close(engine, settings, JUNE, replay=True).cross_checks == ()

    lend("B02", "v2", "10000")
    collect(engine, settings, JUNE, replay=True)
    again = close(engine, settings, JUNE, replay=True).cross_checks
    assert again == ("2019-06-B01-close-2", "2019-06-B02-close-2")
    assert rows(engine, "select submission_id, rule from intake.finding order by 1") == [
        ("2019-06-B01-close", "X07"),
        ("2019-06-B02-close", "X07"),
    ]
    for bank in ("B01", "B02"):
        subject, html = rows(
            engine, f"select subject, html from notify.message where message_key like '%/{bank}/%/close-2'"
        )[0]
        assert "截止核对：无需处理" in subject
        assert "没有发现问题" in html
        assert f"本回执代替回执 2019-06-{bank}-close。" in html
        folder = Path(settings.outbox_address) / "2019-06" / bank
        assert {path.name for path in folder.glob("*close*")} == {
            "findings-close.xlsx",
            "receipt-close.html",
            "receipt-close-2.html",
        }
    assert close(engine, settings, JUNE, replay=True).cross_checks == ()
    lend("B02", "v3", "29000")
    collect(engine, settings, JUNE, replay=True)
    assert close(engine, settings, JUNE, replay=True).cross_checks == ("2019-06-B01-close-3", "2019-06-B02-close-3")
    html = rows(engine, "select html from notify.message where message_key like '%/B01/%/close-3'")[0][0]
    assert "本回执代替回执 2019-06-B01-close-2。" in html
