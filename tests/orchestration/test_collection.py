"""The mapped task and its trigger: judging what is there, waiting for more, red at the deadline."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import COVER_WAIT, Force, close, collect
from five_precisions.errors import UsageError
from five_precisions.installation import Installation
from five_precisions.intake import find_settled, move_deadline, read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import open_warehouse
from tests.mail_server import MailServer
from tests.packages import JUNE, put, sound_package
from tests.rows import rows

THIS_MONTH = Period.current()
FAR = datetime.now(SHANGHAI).date() + timedelta(days=300)
"""A deadline that nobody will see pass."""


@pytest.fixture
def engine(register_saved_engine: Engine) -> Engine:
    return register_saved_engine


def task(code: str = "B01") -> Any:
    from five_precisions.orchestration.collection import CollectInstitution

    return CollectInstitution(task_id="collect", institution=code, short_name="甲银行", poll_seconds=1)


def context(month: Period) -> Any:
    return {"dag_run": SimpleNamespace(partition_key=str(month))}


def run_trigger(settings: Settings, seconds: float = 60, **changes: Any) -> tuple[str, float]:
    """What the trigger says first, and after how many seconds."""
    from five_precisions.orchestration.triggers import PackageTrigger

    arguments = {
        "period": str(THIS_MONTH),
        "institution": "B01",
        "seen": None,
        "until": (datetime.now(SHANGHAI) + timedelta(days=1)).isoformat(),
        "poll_seconds": 0.2,
        "rest_seconds": 0.2,
        "lookup_seconds": 0.2,
        **changes,
    }
    path, serialized = PackageTrigger(**arguments).serialize()
    assert path == "five_precisions.orchestration.triggers.PackageTrigger"

    async def first() -> str:
        async for event in PackageTrigger(**serialized).run():
            return str(event.payload)
        raise AssertionError

    began = time.monotonic()
    said = asyncio.run(asyncio.wait_for(first(), seconds))
    return said, time.monotonic() - began


def age(folder: Path, seconds: float) -> None:
    for file in folder.iterdir():
        os.utime(file, (time.time() - seconds,) * 2)


def clock_at(year: int) -> type[datetime]:
    """A machine's clock that has stopped in the June of another year."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime(year, 6, 15, tzinfo=tz)

    return Clock


@pytest.fixture
def folder(settings: Settings) -> Path:
    return Path(settings.inbox_address) / str(THIS_MONTH) / "B01"


def test_in_a_replay_it_judges_and_ends(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(PREFIX + "REPLAY", "true")
    put(
        Path(settings.inbox_address) / "2019-06" / "B01",
        sound_package("loans", "position", "visits", "outreach", "grid", "matches"),
    )
    seen = context(JUNE)
    assert set(task().execute(seen).values()) <= {"accepted", "nil"}
    assert seen["institution"] == "甲银行"
    with engine.connect() as connection:
        assert connection.execute(text("select message_key from notify.message")).scalars().all() == [
            "receipt/2019-06/B01/b01@example.test/v1"
        ]


def test_in_a_replay_whose_packages_are_removed_nothing_changes(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo removes them in the end, and its tasks can still be cleared in `make up`."""
    monkeypatch.setenv(PREFIX + "REPLAY", "true")
    inbox = Path(settings.inbox_address)
    put(inbox / "2019-06" / "B01", sound_package("loans", "position", "visits", "outreach", "grid", "matches"))
    before = task().execute(context(JUNE))
    states = read_status(engine, JUNE)
    shutil.rmtree(inbox / "2019-06")
    assert task().execute(context(JUNE)) == before
    assert read_status(engine, JUNE) == states


def test_what_is_missing_at_the_deadline_is_red(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setenv(PREFIX + "REPLAY", "true")
    put(Path(settings.inbox_address) / "2019-06" / "B01", sound_package("loans"))
    with pytest.raises(AirflowFailException, match=r"^甲银行 in 2019-06: missing position, visits, .*s\.$"):
        task().execute(context(JUNE))


def test_before_the_deadline_it_waits_even_when_all_is_there(engine: Engine, settings: Settings, folder: Path) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as waiting:
        task().execute(context(THIS_MONTH))
    trigger = waiting.value.trigger
    assert waiting.value.method_name == "resume"
    assert (trigger.period, trigger.institution, trigger.seen) == (str(THIS_MONTH), "B01", None)
    assert datetime.fromisoformat(trigger.until) > datetime.now(SHANGHAI)


def test_resumed_it_judges_and_waits_again(engine: Engine, settings: Settings, folder: Path) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    put(folder, sound_package("grid"))
    age(folder, 60)
    with pytest.raises(TaskDeferred):
        task().resume(context(THIS_MONTH), "package")
    states = {
        row.report: row.newest_version for row in read_status(engine, THIS_MONTH) if row.institution_code == "B01"
    }
    assert states["grid"] == 1
    assert not list(folder.iterdir())


def test_a_package_without_a_cover_is_looked_at_once(engine: Engine, settings: Settings, folder: Path) -> None:
    """Otherwise the trigger would wake a worker every few seconds until the cover comes."""
    from airflow.sdk.exceptions import TaskDeferred

    put(folder, [file for file in sound_package("grid") if "cover" not in file.name])
    age(folder, 60)
    with pytest.raises(TaskDeferred) as waiting:
        task().execute(context(THIS_MONTH))
    seen = waiting.value.trigger.seen
    assert seen == find_settled(settings, THIS_MONTH, "B01") is not None
    with pytest.raises(TimeoutError):
        run_trigger(settings, seconds=1.5, seen=seen)
    (folder / "cover.csv").write_text("x", encoding="utf-8")
    age(folder, 60)
    assert run_trigger(settings, seen=seen)[0] == "package"


def test_the_trigger_sleeps_before_it_fires(settings: Settings, folder: Path) -> None:
    put(folder, sound_package("grid"))
    age(folder, 60)
    said, seconds = run_trigger(settings, rest_seconds=0.5)
    assert said == "package"
    assert seconds >= 0.5


def test_the_trigger_leaves_a_file_that_is_still_being_written(settings: Settings, folder: Path) -> None:
    put(folder, sound_package("grid"))
    age(folder, 0)
    with pytest.raises(TimeoutError):
        run_trigger(settings, seconds=1.5)


def test_files_that_were_seen_are_looked_at_when_they_settle(settings: Settings, folder: Path) -> None:
    """However seldom it looks otherwise."""
    put(folder, sound_package("loans"))
    age(folder, settings.settle_seconds - 3)
    event, _ = run_trigger(settings, rest_seconds=0, poll_seconds=3600)
    assert event == "package"


def test_the_trigger_ends_at_the_deadline(settings: Settings) -> None:
    assert run_trigger(settings, until=datetime.now(SHANGHAI).isoformat())[0] == "deadline"


def test_the_trigger_looks_again_when_it_is_time_to_tell_of_a_missing_cover(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    put(folder, [file for file in sound_package("grid") if "cover" not in file.name])
    age(folder, 60)
    with pytest.raises(TaskDeferred) as waiting:
        task().execute(context(THIS_MONTH))
    trigger = waiting.value.trigger
    assert datetime.fromisoformat(trigger.again_at) - datetime.now(SHANGHAI) > COVER_WAIT - timedelta(minutes=1)
    with pytest.raises(TimeoutError):
        run_trigger(settings, seconds=1.5, seen=trigger.seen, again_at=trigger.again_at)
    assert run_trigger(settings, seen=trigger.seen, again_at=datetime.now(SHANGHAI).isoformat())[0] == "second look"
    # And then no more, until a file changes.
    with pytest.raises(TaskDeferred) as waiting:
        task().resume(context(THIS_MONTH), "second look")
    assert waiting.value.trigger.again_at is None


def test_a_deadline_that_moves_reaches_those_who_wait(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier: the wait ends. Later: it goes on, though it began with the earlier one. For all by few connections."""
    from five_precisions.orchestration import triggers

    opened: list[Settings] = []

    @contextmanager
    def counted(settings: Settings) -> Iterator[Installation]:
        opened.append(settings)
        with open_warehouse(settings) as own:
            yield Installation(own, settings)

    monkeypatch.setattr(triggers, "open_installation", counted)
    month = Period(2019, 6)
    move_deadline(engine, settings, month, FAR, "台风")
    ahead = datetime.combine(FAR, datetime.min.time(), SHANGHAI).isoformat()
    passed = datetime(2019, 7, 11, tzinfo=SHANGHAI).isoformat()

    async def first(institution: str, until: str) -> str:
        trigger = triggers.PackageTrigger(
            period=str(month),
            institution=institution,
            seen=None,
            until=until,
            poll_seconds=0.1,
            rest_seconds=0.1,
            lookup_seconds=0.5,
        )
        async for event in trigger.run():
            return str(event.payload)
        raise AssertionError

    async def scene() -> None:
        codes = [f"B{number:02d}" for number in range(1, 13)]
        waiting = {code: asyncio.create_task(first(code, passed if code == "B01" else ahead)) for code in codes}
        await asyncio.sleep(1.2)
        assert not any(each.done() for each in waiting.values())
        await asyncio.to_thread(move_deadline, engine, settings, month, date(2019, 7, 1), "提前", institution="B02")
        assert await asyncio.wait_for(waiting["B02"], 60) == "deadline"
        assert [code for code, each in waiting.items() if each.done()] == ["B02"]
        await asyncio.to_thread(move_deadline, engine, settings, month, date(2019, 7, 2), "全部提前")
        assert set(await asyncio.wait_for(asyncio.gather(*waiting.values()), 60)) == {"deadline"}

    began = time.monotonic()
    asyncio.run(scene())
    assert 2 <= len(opened) <= 2 + (time.monotonic() - began) / 0.5


def test_nobody_goes_by_an_old_deadline_while_the_new_one_is_looked_up(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart of the triggerer all ask at once, each with the deadline that it began with."""
    from five_precisions.orchestration import triggers

    opened: list[Settings] = []

    @contextmanager
    def slow(settings: Settings) -> Iterator[Installation]:
        opened.append(settings)
        time.sleep(0.7)
        with open_warehouse(settings) as own:
            yield Installation(own, settings)

    monkeypatch.setattr(triggers, "open_installation", slow)
    month = Period(2019, 6)
    move_deadline(engine, settings, month, FAR, "台风")
    cache = triggers._DeadlineCache()
    passed = datetime(2019, 7, 11, tzinfo=SHANGHAI)
    with ThreadPoolExecutor(4) as asking:
        found = list(asking.map(lambda _: cache.look(settings, month, 60), range(4)))
    assert [board.deadlines["B01"] > passed for board in found] == [True] * 4
    assert len(opened) == 1


@pytest.mark.parametrize("year", [2019, 2199], ids=["set back", "set ahead"])
def test_a_deadline_passes_by_the_databases_clock(
    year: int, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """The clocks of the machines may be wrong: of the worker, that judges, and of the triggerer, that waits."""
    from airflow.sdk.exceptions import TaskDeferred

    from five_precisions.orchestration import triggers

    monkeypatch.setattr(triggers, "datetime", clock_at(year))
    # In June 2199 no deadline of this month is to come; in June 2019 none of 2019-05 has passed.
    with pytest.raises(TimeoutError):
        run_trigger(settings, seconds=1.5)
    with pytest.raises(TaskDeferred):
        task().execute(context(THIS_MONTH))
    move_deadline(engine, settings, Period(2019, 5), date(2019, 6, 30), "台风")
    assert run_trigger(settings, period="2019-05")[0] == "deadline"


def test_another_key_ends_the_tasks_and_their_wait_goes_on(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from five_precisions.orchestration import triggers
    from five_precisions.orchestration.runtime import open_for_task
    from five_precisions.warehouse.keys import ChangedKeyError

    sentence = "FIVE_PRECISIONS_PII_KEY is not the key that this warehouse's hashes are made with"
    move_deadline(engine, settings, JUNE, FAR, "台风")
    with open_for_task():
        pass
    with monkeypatch.context() as patch:
        patch.setenv(PREFIX + "PII_KEY", "n" * 40)
        with pytest.raises(ChangedKeyError, match=sentence):
            task().execute(context(JUNE))
        assert triggers._DeadlineCache().look(Settings.load(), JUNE, 60).deadlines == {}
        assert f"The deadlines of 2019-06 cannot be looked up: {sentence}" in caplog.text
    assert triggers._DeadlineCache().look(Settings.load(), JUNE, 60).deadlines != {}


def test_while_the_warehouse_does_not_answer_the_wait_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv(PREFIX + "WAREHOUSE", "postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(TimeoutError):
        run_trigger(settings, seconds=1.5)
    put(folder, sound_package("grid"))
    age(folder, 60)
    assert run_trigger(settings)[0] == "package"


def test_the_log_tells_the_story_of_a_version_that_another_process_recorded(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setenv(PREFIX + "REPLAY", "true")
    put(Path(settings.inbox_address) / "2019-06" / "B01", sound_package("grid"))
    assert len(collect(engine, settings, JUNE, institution="B01", replay=True)) == 1
    with pytest.raises(AirflowFailException) as failed:
        task().execute(context(JUNE))
    assert str(failed.value) == "甲银行 in 2019-06: missing loans, position, visits, outreach, matches."
    told = capsys.readouterr().out
    assert "Version 1, receipt 2019-06-B01-1: repeated (the same bytes as an earlier version)" in told
    assert "  grid accepted: 1 rows, 0 errors, 0 warnings" in told
    assert "In the end accepted, receipt 2019-06-B01-1: grid" in told
    assert "In the end missing: loans, position, visits, outreach, matches" in told


def test_ops_are_told_of_a_package_that_our_own_fault_keeps_from_being_judged(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    from five_precisions.collection import deliveries as intake_collection

    def break_off(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    put(folder, sound_package("grid"))
    age(folder, 60)
    monkeypatch.setattr(intake_collection, "judge_package", break_off)
    with MailServer(tmp_path / "mails") as server:
        config = {"path": f"{server.url}&to=ops@example.test", "tag": "all"}
        monkeypatch.setenv(
            "AIRFLOW_CONN_APPRISE_DEFAULT", json.dumps({"conn_type": "apprise", "extra": {"config": config}})
        )
        with pytest.raises(TaskDeferred):
            task().execute(context(THIS_MONTH))
        [mail] = server.mails()
    assert mail["Subject"] == f"[演示] [five-precisions] A package of 甲银行 for {THIS_MONTH} is not done with"
    assert "ZeroDivisionError, see the log" in str(mail.get_body(("plain",)))


def test_ops_are_told_once_when_a_month_opens_whose_calendar_is_unknown(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from five_precisions.orchestration.collection import open_month

    monkeypatch.setattr(Period, "current", lambda: Period(2050, 1))
    with MailServer(tmp_path / "mails") as server:
        config = {"path": f"{server.url}&to=ops@example.test", "tag": "all"}
        connection = {"conn_type": "apprise", "extra": {"config": config}}
        monkeypatch.setenv("AIRFLOW_CONN_APPRISE_DEFAULT", json.dumps(connection))
        assert len(open_month(context(Period(2019, 6)))) == 17
        assert server.mails() == []
        for _ in range(2):
            assert len(open_month(context(Period(2049, 12)))) == 17
        [mail] = server.mails()
    assert mail["Subject"] == "[演示] [five-precisions] The deadline of 2049-12 wants a look"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "2050年放假安排尚未公布" in body.get_content()


def test_a_month_opens_though_ops_cannot_be_told(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from five_precisions.orchestration.collection import open_month

    monkeypatch.setattr(Period, "current", lambda: Period(2050, 1))
    monkeypatch.delenv("AIRFLOW_CONN_APPRISE_DEFAULT", raising=False)
    assert len(open_month(context(Period(2049, 12)))) == 17
    assert "Ops could not be told" in caplog.text


def test_a_month_to_come_is_not_opened(engine: Engine, settings: Settings) -> None:
    """A run triggered by hand with a slip in its partition key."""
    from five_precisions.orchestration.collection import open_month

    with pytest.raises(UsageError, match=r"^2999-01 has not begun\.$"):
        open_month(context(Period(2999, 1)))
    assert rows(engine, "select count(*) from registry.period") == [(0,)]


# The close


def deliver_grid(settings: Settings, code: str, at: datetime) -> Path:
    folder = Path(settings.inbox_address) / str(JUNE) / code
    put(folder, sound_package("grid"), at=at)
    return folder


IN_TIME = datetime(2019, 7, 3, 10, tzinfo=SHANGHAI)
TOO_LATE = datetime(2019, 7, 12, 10, tzinfo=SHANGHAI)


def test_a_package_that_came_in_time_and_was_not_taken_in_keeps_the_month_open(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task of its row has failed: red, with what to do, until the row is cleared."""
    from airflow.sdk.exceptions import AirflowFailException

    from five_precisions.orchestration.collection import close_month

    monkeypatch.setenv(PREFIX + "FIRST_PERIOD", str(JUNE))
    deliver_grid(settings, "B02", IN_TIME)
    deliver_grid(settings, "B03", TOO_LATE)
    with pytest.raises(AirflowFailException) as refused:
        close_month(context(JUNE))
    [name] = rows(engine, "select short_name from registry.institution where code = 'B02'")[0]
    assert str(refused.value) == (
        f"2019年6月没有关闭：{name}（B02）在截止前报送的报送包还在收件箱里，没有收进。"
        "请先清除（Clear）这些机构在“收集 · collect”中的那一行，再清除本任务；如果决定不等它们，请在命令行执行 "
        "five-precisions close 2019-06 --force --reason 理由，然后清除本任务。"
    )
    assert rows(engine, "select count(*) from intake.close") == [(0,)]
    with pytest.raises(AirflowFailException, match="missing"):
        task("B02").execute(context(JUNE))
    assert close_month(context(JUNE)) == {"period": "2019-06", "frozen_reports": 1}


def test_a_deadline_of_its_own_says_whether_a_package_was_in_time(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from five_precisions.orchestration.collection import close_month

    monkeypatch.setenv(PREFIX + "FIRST_PERIOD", str(JUNE))
    deliver_grid(settings, "B03", TOO_LATE)
    move_deadline(engine, settings, JUNE, TOO_LATE.date(), "台风", institution="B03")
    with pytest.raises(AirflowFailException, match="（B03）在截止前报送"):
        close_month(context(JUNE))


def test_closed_by_force_on_the_command_line_the_cleared_task_goes_on(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from five_precisions.orchestration.collection import close_month

    monkeypatch.setenv(PREFIX + "FIRST_PERIOD", str(JUNE))
    folder = deliver_grid(settings, "B02", IN_TIME)
    close(engine, Settings.load(), JUNE, force=Force("root", "B02另报"))
    assert close_month(context(JUNE)) == {"period": "2019-06", "frozen_reports": 0}
    assert rows(engine, "select forced_reason from intake.close") == [("B02另报",)]
    assert list(folder.iterdir()), "what waits is left to late_submissions"


def test_what_came_after_the_deadline_holds_nothing_up(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from five_precisions.orchestration.collection import close_month

    monkeypatch.setenv(PREFIX + "FIRST_PERIOD", str(JUNE))
    deliver_grid(settings, "B03", TOO_LATE)
    assert close_month(context(JUNE))["frozen_reports"] == 0
