"""A package that breaks us: its institution gets an answer, ops a line a day, and nobody is late for it.

See docs/intake.md#bad-input.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import collect
from five_precisions.collection import deliveries as collection_module
from five_precisions.intake import State, describe_failed, move_deadline
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts import post_reminders
from five_precisions.settings import Settings
from tests.packages import RESIDENT_ID, cover_file, cover_line, put, report_file, sound, sound_package
from tests.rows import rows

MONTH = Period.current().previous()
TOLD = "select message_key, subject, html from notify.message where institution_code = 'B01' order by created_at, 1"


@pytest.fixture
def folder(settings: Settings) -> Path:
    """Where B01 delivers; nobody is late yet."""
    return Path(settings.inbox_address) / str(MONTH) / "B01"


def break_down(patch: pytest.MonkeyPatch) -> None:
    """From now on B01's packages break the check."""
    judge = collection_module.judge_package

    def judge_or_break(files: Any, institution: Any, ruleset: Any, **options: Any) -> Any:
        if institution.code == "B01":
            raise ValueError(f"cannot read {RESIDENT_ID}")
        return judge(files, institution, ruleset, **options)

    patch.setattr(collection_module, "judge_package", judge_or_break)


def verdicts(engine: Engine, settings: Settings) -> dict[str, str]:
    return {each.institution_code: str(each.verdict) for each in collect(engine, settings, MONTH)}


def pages(settings: Settings) -> list[Path]:
    return sorted((Path(settings.outbox_address) / str(MONTH) / "B01").iterdir())


def test_an_institution_is_told_once_and_after_the_repair_it_is_in_time(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    move_deadline(engine, settings, MONTH, datetime.now(SHANGHAI).date() + timedelta(days=1), "测试")
    put(folder, sound_package("grid"))
    put(folder.parent / "B02", sound_package("grid"))
    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        break_down(patch)
        assert verdicts(engine, settings) == {"B01": "failed", "B02": "accepted"}
        assert verdicts(engine, settings) == {"B01": "failed"}
        assert verdicts(engine, settings) == {"B01": "failed"}
    assert "B01 failed: ValueError" in caplog.text
    assert "judge_or_break" in caplog.text, "where it broke"

    ((key, subject, html),) = rows(engine, TOLD)
    assert key.startswith(f"receipt/{MONTH}/B01/b01@example.test/failed-check-")
    assert subject == f"【已收到，待核对】{MONTH.words} 岭海通商"
    [page] = pages(settings)
    assert page.name == f"{key.rpartition('/')[2]}.html"
    assert page.read_text(encoding="utf-8") == html
    [(seen_at, failed_at)] = rows(engine, "select seen_at, failed_at from intake.seen_package")
    seen = seen_at.astimezone(SHANGHAI)
    assert f"贵单位的报送包已于{seen.year}年{seen.month}月{seen.day}日 {seen:%H:%M}收到" in html
    assert "grid.csv" in html
    for inside in ("ValueError", "judge_package", RESIDENT_ID, "Traceback"):
        assert inside not in html
    assert len(list(folder.iterdir())) == 2, "the files stay"
    [told] = describe_failed(engine, settings)
    assert told.startswith(f"{MONTH} B01 岭海通商：")
    assert "ValueError" in told
    assert f"自{failed_at.astimezone(SHANGHAI).year}年" in told
    assert RESIDENT_ID not in told
    assert describe_failed(engine, settings, MONTH.previous()) == []

    # The repair comes after the deadline.
    with engine.begin() as connection:
        connection.execute(text("update intake.seen_package set seen_at = seen_at - interval '3 days'"))
        connection.execute(
            text("insert into registry.deadline_move (period, deadline_at, reason) values (:period, :at, '测试')"),
            {"period": str(MONTH), "at": datetime.now(UTC) - timedelta(days=1)},
        )
    (judgement,) = collect(engine, settings, MONTH, institution="B01")
    assert judgement.submission_id == f"{MONTH}-B01-1"
    assert judgement.received_at == seen_at - timedelta(days=3)
    assert [row[0].rpartition("/")[2] for row in rows(engine, TOLD)][1:] == ["v1"]
    assert "迟报" not in rows(engine, TOLD)[1][2]
    assert "receipt-v1.html" in {page.name for page in pages(settings)}
    assert list(folder.iterdir()) == []
    assert describe_failed(engine, settings) == []


def test_other_files_are_another_delivery_and_files_taken_back_are_none(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(monkeypatch)
    put(folder, sound_package("grid"))
    collect(engine, settings, MONTH)
    put(folder, [report_file("visits", [sound("visits")]), cover_file(cover_line("visits", [sound("visits")]))])
    collect(engine, settings, MONTH)
    assert len(rows(engine, TOLD)) == 2
    assert len(pages(settings)) == 2
    assert len(describe_failed(engine, settings)) == 1
    for file in folder.iterdir():
        file.unlink()
    assert describe_failed(engine, settings) == []


def test_what_fails_after_the_version_is_on_record_is_no_failed_check(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its receipt by mail: that it was not checked would be wrong."""
    put(folder, sound_package("grid"))
    with monkeypatch.context() as patch:
        patch.setattr(collection_module, "write_receipts", lambda *_: 1 // 0)
        assert verdicts(engine, settings) == {"B01": "failed"}
    assert [row[0].rpartition("/")[2] for row in rows(engine, TOLD)] == ["v1"]
    assert describe_failed(engine, settings) == []


def test_an_outbox_that_refuses_the_page_gets_it_at_the_next_look(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_down(monkeypatch)
    put(folder, sound_package("grid"))
    outbox = Path(settings.outbox_address) / str(MONTH)
    outbox.mkdir(parents=True)
    (outbox / "B01").write_text("a file where the folder belongs")
    assert verdicts(engine, settings) == {"B01": "failed"}
    assert "B01 failed: ValueError" in caplog.text
    assert "The outbox cannot be written to" in caplog.text
    assert len(rows(engine, TOLD)) == 1
    (outbox / "B01").unlink()
    collect(engine, settings, MONTH)
    assert len(pages(settings)) == 1
    assert len(rows(engine, TOLD)) == 1


def test_a_replay_answers_nobody(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(monkeypatch)
    put(folder, sound_package("grid"))
    (judgement,) = collect(engine, settings, MONTH, replay=True)
    assert judgement.verdict is State.FAILED
    assert rows(engine, TOLD) == []


def test_a_reminder_asks_for_nothing_that_waits_for_us(
    engine: Engine, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_down(monkeypatch)
    put(folder, sound_package("grid"))
    move_deadline(engine, settings, MONTH, datetime.now(SHANGHAI).date() + timedelta(days=1), "测试")
    collect(engine, settings, MONTH)
    keys = post_reminders(engine, settings)
    assert len(keys) == 17
    told = dict(rows(engine, "select institution_code, html from notify.message where kind = 'reminder'"))
    waiting = "收到的文件因本系统故障尚未核对，不必重新报送，以该收到时间为准"
    assert {code for code, html in told.items() if waiting in html} == {"B01"}
