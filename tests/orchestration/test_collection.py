"""The mapped task and its trigger: judging what is there, waiting for more, red at the deadline."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.intake import find_settled, read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import PREFIX, Settings
from tests.intake.packages import JUNE, put, sound_package

THIS_MONTH = Period.current()


@pytest.fixture
def engine(register_saved_engine: Engine) -> Engine:
    return register_saved_engine


def task(code: str = "B01") -> Any:
    from five_precisions.orchestration.collection import CollectInstitution

    return CollectInstitution(task_id="collect", institution=code, short_name="甲银行", poll_seconds=1)


def context(month: Period) -> Any:
    return {"dag_run": SimpleNamespace(partition_key=str(month))}


def run_trigger(settings: Settings, seconds: float = 10, **changes: Any) -> tuple[str, float]:
    """What the trigger says first, and after how many seconds."""
    from five_precisions.orchestration.triggers import PackageTrigger

    arguments = {
        "period": str(THIS_MONTH),
        "institution": "B01",
        "seen": None,
        "until": (datetime.now(SHANGHAI) + timedelta(days=1)).isoformat(),
        "poll_seconds": 0.2,
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


def test_what_is_missing_at_the_deadline_is_red(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setenv(PREFIX + "REPLAY", "true")
    put(Path(settings.inbox_address) / "2019-06" / "B01", sound_package("loans"))
    with pytest.raises(AirflowFailException, match=r"^甲银行 in 2019-06: .*position is missing"):
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
    said, seconds = run_trigger(settings, poll_seconds=0.5)
    assert said == "package"
    assert seconds >= 0.5


def test_the_trigger_leaves_a_file_that_is_still_being_written(settings: Settings, folder: Path) -> None:
    put(folder, sound_package("grid"))
    age(folder, 0)
    with pytest.raises(TimeoutError):
        run_trigger(settings, seconds=1.5)


def test_the_trigger_ends_at_the_deadline(settings: Settings) -> None:
    assert run_trigger(settings, until=datetime.now(SHANGHAI).isoformat())[0] == "deadline"
