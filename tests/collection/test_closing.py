"""What keeps a month from being closed, and how a close is taken back (docs/intake.md#its-life)."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from five_precisions.cli import make_app
from five_precisions.collection import Force, PackagesWaitingError, close, collect, reopen
from five_precisions.errors import RefusedError, SetupError, UsageError
from five_precisions.figures import assess
from five_precisions.intake import read_status, waiting
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import Settings
from tests.command_line import assert_one_sentence, run
from tests.packages import JUNE, package, put, sound, sound_package
from tests.rows import rows

MAY, JULY = JUNE.previous(), JUNE.next()
NOTHING_KEPT = (
    "select (select count(*) from registry.period), (select count(*) from intake.close), "
    "(select count(*) from intake.reopening)"
)


def deliver(settings: Settings, period: Period, code: str, *, version: str = "", report: str = "grid") -> Path:
    """A sound package that lies there for a minute."""
    folder = Path(settings.inbox_address) / str(period) / code / version
    own = sound("grid", head=code) if report == "grid" else sound(report)
    put(folder, package(**{report: [own]}), at=datetime.fromtimestamp(time.time() - 60, SHANGHAI))
    return folder


def take_in(engine: Engine, settings: Settings, *periods: Period) -> None:
    """A delivery of B01 on record for each of the months."""
    for period in periods:
        deliver(settings, period, "B01")
        assert [str(each.verdict) for each in collect(engine, settings, period)] == ["accepted"]


def closed(engine: Engine) -> list[str]:
    return [period for (period,) in rows(engine, "select period from intake.close order by 1")]


# Which month


def test_with_nothing_on_record_the_first_month_must_be_named(engine: Engine, settings: Settings) -> None:
    with pytest.raises(RefusedError) as refused:
        close(engine, settings, Period(2018, 12))
    assert str(refused.value) == (
        "2018-12 cannot be closed: no delivery of any month is on record, so it may be a slip; lay its packages into "
        f"the inbox {settings.inbox_address} and run: five-precisions collect 2018-12; or name the first month by "
        "FIVE_PRECISIONS_FIRST_PERIOD"
    )
    assert rows(engine, NOTHING_KEPT) == [(0, 0, 0)]
    named = settings.model_copy(update={"first_period": Period(2018, 12)})
    assert close(engine, named, Period(2018, 12)).is_new


@pytest.mark.parametrize("replay", [False, True])
def test_a_mistyped_month_is_refused_before_and_after_the_records(
    replay: bool, engine: Engine, settings: Settings
) -> None:
    take_in(engine, settings, JUNE)
    with pytest.raises(RefusedError, match=r"^2018-12 cannot be closed: it lies before 2019-06, the first month of"):
        close(engine, settings, Period(2018, 12), replay=replay)
    with pytest.raises(RefusedError, match=r"^2019-08 cannot be closed before 2019-06, .*: five-precisions close 20"):
        close(engine, settings, Period(2019, 8), replay=replay)
    assert closed(engine) == []
    assert close(engine, settings, JUNE, replay=replay).is_new
    with pytest.raises(RefusedError, match=r"^2019-08 cannot be closed before 2019-07, for months are closed in order"):
        close(engine, settings, Period(2019, 8), replay=replay)
    assert close(engine, settings, JULY, replay=replay).is_new, "a month in which nobody delivered is one all the same"
    assert closed(engine) == ["2019-06", "2019-07"]


def test_the_first_period_of_the_settings_is_where_the_records_begin(engine: Engine, settings: Settings) -> None:
    take_in(engine, settings, Period(2019, 1), JUNE)
    with pytest.raises(RefusedError, match="2019-06 cannot be closed before 2019-01"):
        close(engine, settings, JUNE)
    assert close(engine, settings.model_copy(update={"first_period": JUNE}), JUNE).is_new


def test_a_register_without_obligations_closes_nothing(engine: Engine, settings: Settings) -> None:
    take_in(engine, settings, JUNE)
    with engine.begin() as connection:
        connection.execute(text("delete from registry.obligation"))
    with pytest.raises(RefusedError, match=r"^2019-06 cannot be closed: nobody owes a report, for the register has no"):
        close(engine, settings, JUNE)
    with engine.begin() as connection:
        save_register(connection, load_register(settings.register_folder))
        connection.execute(text("update registry.institution set opened_on = '2019-07-01'"))
    with pytest.raises(RefusedError, match=r"^2019-06 cannot be closed: no institution that owes a report was open"):
        close(engine, settings, JUNE)
    assert closed(engine) == []


def test_a_month_that_has_not_ended_is_refused_in_a_replay_too(engine: Engine, settings: Settings) -> None:
    now = Period.current()
    named = settings.model_copy(update={"first_period": now})
    with pytest.raises(RefusedError, match="before its deadline"):
        close(engine, named, now)
    with pytest.raises(RefusedError, match=rf"^{now} cannot be closed before it has ended, on {now.end} in Shanghai"):
        close(engine, named, now, replay=True)
    with pytest.raises(UsageError, match=r"^2999-01 has not begun\.$"):
        close(engine, settings, Period(2999, 1), replay=True)
    assert rows(engine, NOTHING_KEPT) == [(0, 0, 0)]


def test_last_month_can_be_closed_before_its_deadline_in_a_replay_only(engine: Engine, settings: Settings) -> None:
    before = Period.current().previous()
    named = settings.model_copy(update={"first_period": before})
    assert close(engine, named, before, replay=True).is_new


# What waits in the inbox


@pytest.fixture
def begun(engine: Engine, settings: Settings) -> Engine:
    """June is the first month on record: B01 has delivered."""
    take_in(engine, settings, JUNE)
    return engine


def test_packages_that_wait_keep_the_month_open(begun: Engine, settings: Settings) -> None:
    deliver(settings, JUNE, "B02")
    deliver(settings, JUNE, "C01", report="projects")
    with pytest.raises(PackagesWaitingError) as refused:
        close(begun, settings, JUNE)
    assert [each.code for each in refused.value.institutions] == ["B02", "C01"]
    names = [f"{each.code} {each.short_name}" for each in refused.value.institutions]
    assert str(refused.value) == (
        f"2019-06 cannot be closed while packages of {', '.join(names)} wait in the inbox; take them in: "
        "five-precisions collect 2019-06; or close without them: five-precisions close 2019-06 --force --reason TEXT"
    )
    assert closed(begun) == []
    collect(begun, settings, JUNE)
    assert close(begun, settings, JUNE).frozen_reports == 3


def test_a_package_that_has_not_settled_waits_too(begun: Engine, settings: Settings) -> None:
    for file in deliver(settings, JUNE, "B02").iterdir():
        os.utime(file)
    with pytest.raises(PackagesWaitingError, match="packages of B02 "):
        close(begun, settings, JUNE)


def test_a_file_that_does_not_open_may_be_the_cover(begun: Engine, settings: Settings) -> None:
    put(Path(settings.inbox_address) / str(JUNE) / "B02", [DeliveredFile("月报.xlsx", b"PK\x03\x04 cut off")])
    with pytest.raises(PackagesWaitingError, match="packages of B02 "):
        close(begun, settings, JUNE)


def test_files_without_a_cover_are_no_package(begun: Engine, settings: Settings) -> None:
    bare = [file for file in sound_package("grid") if "cover" not in file.name]
    put(Path(settings.inbox_address) / str(JUNE) / "B02", bare)
    put(Path(settings.inbox_address) / str(JUNE) / "B99", sound_package("grid"))
    (Path(settings.inbox_address) / str(JUNE) / "B03").mkdir()
    assert close(begun, settings, JUNE).is_new


def test_the_same_bytes_once_more_are_on_record(begun: Engine, settings: Settings) -> None:
    deliver(settings, JUNE, "B01")
    assert close(begun, settings, JUNE).is_new


def test_files_of_a_recorded_package_that_could_not_be_taken_out_are_on_record(
    begun: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = deliver(settings, JUNE, "B02")

    def refuse(files: LocalFileSystem, path: str) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "rm_file", refuse)
        collect(begun, settings, JUNE)
    # One of the two was taken out since, by hand: by its bytes it is not known any more.
    next(folder.glob("grid*")).unlink()
    assert list(folder.iterdir())
    assert close(begun, settings, JUNE).frozen_reports == 2


def test_in_a_replay_every_version_folder_must_be_on_record(begun: Engine, settings: Settings) -> None:
    for version in ("v1", "v2"):
        put(Path(settings.inbox_address) / str(JUNE) / "B02" / version, package(grid=[sound("grid", head=version)]))
    collect(begun, settings, JUNE, replay=True)
    assert list((Path(settings.inbox_address) / str(JUNE) / "B02" / "v2").iterdir()), "a replay keeps the files"
    put(Path(settings.inbox_address) / str(JUNE) / "B02" / "v3", package(grid=[sound("grid", head="v3")]))
    with pytest.raises(PackagesWaitingError, match=r"collect 2019-06 --replay; .* close 2019-06 --replay --force"):
        close(begun, settings, JUNE, replay=True)
    collect(begun, settings, JUNE, replay=True)
    assert close(begun, settings, JUNE, replay=True).frozen_reports == 2


def test_a_folder_that_cannot_be_read_counts_as_waiting(
    begun: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether something lies there nobody knows; whoever collects is told why."""
    folder = deliver(settings, JUNE, "B02")
    real = LocalFileSystem.ls

    def ls(files: LocalFileSystem, path: str, *arguments: object, **options: object) -> object:
        if path.rstrip("/") == str(folder):
            raise PermissionError(13, "Permission denied")
        return real(files, path, *arguments, **options)

    monkeypatch.setattr(LocalFileSystem, "ls", ls)
    with pytest.raises(PackagesWaitingError, match="packages of B02 "):
        close(begun, settings, JUNE)


def test_a_package_beyond_us_waits_until_somebody_decides(
    begun: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(settings, JUNE, "B02")
    monkeypatch.setattr(waiting, "is_complete", lambda *_, **__: 1 // 0)
    with pytest.raises(PackagesWaitingError, match="packages of B02 "):
        close(begun, settings, JUNE)


def test_by_force_the_inbox_is_not_looked_into_and_the_reason_stays(begun: Engine, settings: Settings) -> None:
    deliver(settings, JUNE, "B02")
    away = settings.model_copy(update={"inbox": "nosuch://host/inbox"})
    with pytest.raises(SetupError, match="inbox"):
        close(begun, away, JUNE)
    by_force = close(begun, away, JUNE, force=Force("root", "  B02 delivers\nby post "))
    assert (by_force.forced_by, by_force.forced_reason) == ("root", "B02 delivers by post")
    # Frozen anew, it does not ask again, and what was said stands.
    again = close(begun, settings, JUNE)
    assert (again.is_new, again.forced_by, again.forced_reason) == (True, "root", "B02 delivers by post")
    assert {(row.forced_by, row.forced_reason) for row in read_status(begun, JUNE)} == {
        ("root", "B02 delivers by post")
    }


def test_a_month_that_was_closed_without_force_asks_when_it_is_frozen_anew(begun: Engine, settings: Settings) -> None:
    assert close(begun, settings, JUNE).forced_by is None
    deliver(settings, JUNE, "B02")
    with pytest.raises(PackagesWaitingError):
        close(begun, settings, JUNE)
    assert closed(begun) == ["2019-06"]


def test_the_ledger_is_counted_before_the_rules_across_reports_are_asked(begun: Engine, settings: Settings) -> None:
    """Uncounted, what stands is joined as one version with one version (X05)."""
    counted = "select tablename from pg_stats where schemaname = 'intake' and attname = 'submission_id' order by 1"
    assert ("submission",) not in rows(begun, counted)
    close(begun, settings, JUNE)
    assert {("submission",), ("report",)} <= set(rows(begun, counted))


@pytest.mark.parametrize("reason", ["", " \n ", "\u200b", "x" * 501, "nul\x00", "bell\x07", "half \udcff"])
def test_a_reason_is_a_few_readable_words(begun: Engine, settings: Settings, reason: str) -> None:
    with pytest.raises(UsageError):
        close(begun, settings, JUNE, force=Force("root", reason))
    assert closed(begun) == []
    close(begun, settings, JUNE)
    with pytest.raises(UsageError):
        reopen(begun, JUNE, reason, "root")
    assert closed(begun) == ["2019-06"]


def test_a_number_in_a_reason_is_masked(begun: Engine, settings: Settings) -> None:
    closing = close(begun, settings, JUNE, force=Force("root", "账户6222021234567890123另报"))
    assert closing.forced_reason == "账户6222***********0123另报"


# Taken back


def test_a_close_is_taken_back_and_stays_on_record(begun: Engine, settings: Settings) -> None:
    close(begun, settings, JUNE, force=Force("root", "B02另报"))
    [(closed_at,)] = rows(begun, "select closed_at from intake.close")
    reopened = reopen(begun, JUNE, "误关", "张三")
    assert (reopened.period, reopened.closed_at, reopened.reason, reopened.reopened_by) == (
        "2019-06", closed_at, "误关", "张三",
    )  # fmt: skip
    assert closed(begun) == []
    assert rows(begun, "select count(*) from intake.frozen_report") == [(0,)]
    kept = "select period, closed_at, forced_by, forced_reason, reason, reopened_by from intake.reopening"
    assert rows(begun, kept) == [("2019-06", closed_at, "root", "B02另报", "误关", "张三")]
    with pytest.raises(RefusedError, match=r"^2019-06 is not closed, so there is nothing to reopen\.$"):
        reopen(begun, JUNE, "误关", "张三")
    # Closed again, it is a close like any other.
    assert close(begun, settings, JUNE).forced_by is None
    reopen(begun, JUNE, "再开", "李四")
    assert [row[4] for row in rows(begun, f"{kept} order by reopening_number")] == ["误关", "再开"]


def test_what_a_close_told_stays_told(engine: Engine, settings: Settings) -> None:
    for bank in ("B01", "B02"):
        loan = sound("loans", contract_no=f"HT-{bank}", principal="30000", balance="30000")
        put(Path(settings.inbox_address) / str(JUNE) / bank, package(loans=[loan]))
    put(Path(settings.inbox_address) / str(JUNE) / "C01", sound_package("households"))
    collect(engine, settings, JUNE)
    told = close(engine, settings, JUNE).cross_checks
    assert told == ("2019-06-B01-close", "2019-06-B02-close")
    messages = rows(engine, "select message_key from notify.message order by 1")
    reopen(engine, JUNE, "误关", "root")
    kept = "select submission_id from intake.cross_check where edition like 'close%' order by 1"
    assert rows(engine, kept) == [(each,) for each in told]
    assert rows(engine, "select message_key from notify.message order by 1") == messages
    assert close(engine, settings, JUNE).cross_checks == (), "nothing is different, so nobody is told again"


def run_of(engine: Engine, period: Period) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "values (:period || '-r1', :period, 1, now(), '', '', '', '', true)"
            ),
            {"period": str(period)},
        )


def test_a_month_that_is_assessed_stays_closed(begun: Engine, settings: Settings) -> None:
    close(begun, settings, JUNE)
    run_of(begun, JUNE)
    with pytest.raises(RefusedError, match=r"^2019-06 has been assessed, .*: five-precisions restate 2019-06 --reason"):
        reopen(begun, JUNE, "误关", "root")
    assert closed(begun) == ["2019-06"]
    # Nothing waits any more: what is announced is not changed by a close, whatever lies in the inbox.
    deliver(settings, JUNE, "B02")
    assert not close(begun, settings, JUNE).is_new


def test_a_mistyped_month_no_longer_keeps_the_later_ones_waiting(begun: Engine, settings: Settings) -> None:
    """As one was closed before this was refused: assessing June waits for it, and reopening it mends that."""
    december = Period(2018, 12)
    collect(begun, settings, december)
    with begun.begin() as connection:
        connection.execute(text("insert into intake.close (period, closed_at) values ('2018-12', now())"))
    close(begun, settings, JUNE)
    with pytest.raises(RefusedError, match=r"^2018-12 is closed and has no .*: five-precisions reopen 2018-12 --rea"):
        assess(begun, settings, JUNE)
    reopen(begun, december, "写错了月份", "root")
    # What is missing now is its funds, no month.
    with pytest.raises(RefusedError, match="No guarantee and subsidy funds had arrived at the close of 2019-06"):
        assess(begun, settings, JUNE)


def test_a_month_that_was_only_collected_by_mistake_keeps_nobody_waiting(begun: Engine, settings: Settings) -> None:
    collect(begun, settings, Period(2018, 12))
    close(begun, settings, JUNE)
    with pytest.raises(RefusedError, match="No guarantee and subsidy funds"):
        assess(begun, settings, JUNE)


def test_a_later_month_is_not_assessed_while_an_earlier_one_is_open(begun: Engine, settings: Settings) -> None:
    take_in(begun, settings, JULY)
    close(begun, settings, JUNE)
    close(begun, settings, JULY)
    reopen(begun, JUNE, "补报", "root")
    assert closed(begun) == ["2019-07"], "also where later months are closed"
    with pytest.raises(RefusedError, match=r"^2019-06 is open, and the figures of 2019-07 build on it; run: five-pre"):
        assess(begun, settings, JULY)
    close(begun, settings, JUNE)
    run_of(begun, JUNE)
    with pytest.raises(RefusedError, match="No guarantee and subsidy funds"):
        assess(begun, settings, JULY)


def test_a_month_in_which_nobody_delivered_is_missed_once_it_is_reopened(begun: Engine, settings: Settings) -> None:
    for month in (JUNE, JULY, JULY.next()):
        close(begun, settings, month)
    reopen(begun, JULY, "误关", "root")
    run_of(begun, JUNE)
    with pytest.raises(RefusedError, match="2019-07 is open, and the figures of 2019-08 build on it"):
        assess(begun, settings, JULY.next())


def test_months_before_the_newest_run_were_done_without(begun: Engine, settings: Settings) -> None:
    """A package of long ago that is taken in later makes no month of the records wait."""
    close(begun, settings, JUNE)
    run_of(begun, JUNE)
    take_in(begun, settings, Period(2018, 12))
    close(begun, settings, JULY)
    with pytest.raises(RefusedError, match="No guarantee and subsidy funds"):
        assess(begun, settings, JULY)


def test_who_reopens_waits_for_the_run_that_is_being_made(begun: Engine, settings: Settings) -> None:
    close(begun, settings, JUNE)
    said: list[str] = []

    def take_back() -> None:
        try:
            reopen(begun, JUNE, "误关", "root")
        except RefusedError as error:
            said.append(str(error))

    with begun.begin() as assessing:
        # As `assess` holds it until its run is on record.
        assessing.execute(text("select from intake.close where period = '2019-06' for share"))
        thread = threading.Thread(target=take_back)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        assessing.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "values ('2019-06-r1', '2019-06', 1, now(), '', '', '', '', true)"
            )
        )
    thread.join(60)
    assert [sentence[:30] for sentence in said] == ["2019-06 has been assessed, and"]
    assert closed(begun) == ["2019-06"]


# By command line


@pytest.fixture
def commanded(begun: Engine, settings: Settings) -> Engine:
    """June is on record, and a package of B02 waits."""
    deliver(settings, JUNE, "B02")
    return begun


def test_what_waits_is_named_on_the_command_line(commanded: Engine) -> None:
    assert_one_sentence(run("close", "2019-06"), 1, "cannot be closed while packages of B02 ")
    assert_one_sentence(run("close", "2019-06", "--force"), 2, "takes both: --force --reason TEXT")
    assert_one_sentence(run("close", "2019-06", "--reason", "x"), 2, "takes both: --force --reason TEXT")


def test_status_shows_that_a_month_was_closed_by_force(commanded: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # They take their time, and have tests of their own.
    monkeypatch.setattr("five_precisions.data_docs.build_data_docs", lambda *_: None)

    def printed(*words: str) -> str:
        return CliRunner().invoke(make_app(), words, catch_exceptions=False).stdout

    by_force = json.loads(printed("close", "2019-06", "--force", "--reason", "B02 另报", "--json"))
    assert by_force["forced_reason"] == "B02 另报"
    assert f", by force of {by_force['forced_by']}: B02 另报" in printed("status", "2019-06")
    states = json.loads(printed("status", "2019-06", "--json"))
    assert {(row["forced_by"], row["forced_reason"]) for row in states} == {(by_force["forced_by"], "B02 另报")}


def test_a_close_is_taken_back_on_the_command_line(commanded: Engine, settings: Settings) -> None:
    close(commanded, settings, JUNE, force=Force("root", "B02另报"))
    reopened = json.loads(run("reopen", "2019-06", "--reason", "误关", "--json").stdout)
    assert (reopened["period"], reopened["reason"]) == ("2019-06", "误关")
    assert rows(commanded, "select reason, reopened_by from intake.reopening") == [("误关", reopened["reopened_by"])]
    assert_one_sentence(run("assess", "2019-06"), 1, "2019-06 is not closed; run: five-precisions close 2019-06")
    assert "closed" not in run("status", "2019-06").stdout


def test_a_reopened_month_before_the_first_period_can_be_mended(commanded: Engine) -> None:
    """Whoever has named the first month since can still take the mistyped one back."""
    with commanded.begin() as connection:
        connection.execute(
            text("insert into registry.period (period, deadline_at) values ('2018-12', '2019-01-15 00:00+08')")
        )
        connection.execute(text("insert into intake.close (period, closed_at) values ('2018-12', now())"))
    result = run("reopen", "2018-12", "--reason", "写错了", FIRST_PERIOD="2019-06")
    assert (result.returncode, result.stdout) == (0, "2018-12 is open again.\n")
