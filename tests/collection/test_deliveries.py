"""A package's life in the warehouse (docs/intake.md#its-life)."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from five_precisions.cli import make_app
from five_precisions.collection import check, close, collect
from five_precisions.collection import deliveries as collection_module
from five_precisions.errors import SetupError, UsageError
from five_precisions.intake import State, Verdict, find_unknown_folders, read_status
from five_precisions.intake.archive import Archive, ArchiveError
from five_precisions.intake.inbox import Inbox
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.receipt_files import OutboxError
from five_precisions.settings import Settings
from tests.packages import (
    ACCOUNT,
    JUNE,
    PHONE,
    RESIDENT_ID,
    cover_file,
    cover_line,
    package,
    put,
    report_file,
    sound,
    sound_package,
)
from tests.rows import rows

BAD_LOANS = {"loans": [sound("loans", balance="60000")]}


def replayed(engine: Engine, settings: Settings, code: str = "B01") -> list[str]:
    return [str(each.verdict) for each in collect(engine, settings, JUNE, institution=code, replay=True)]


def test_rejected_then_mended(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01" / "v1", package(**BAD_LOANS, grid=[sound("grid")], visits=[]))
    put(inbox / "B01" / "v2", sound_package("loans"))
    put(inbox / "B01" / "v10", package(**BAD_LOANS))
    assert replayed(engine, settings) == ["partial", "accepted", "rejected"]
    assert rows(engine, "select submission_id, report, verdict, rows, errors from intake.report order by 1, 2") == [
        ("2019-06-B01-1", "grid", "accepted", 1, 0),
        ("2019-06-B01-1", "loans", "rejected", 1, 1),
        ("2019-06-B01-1", "visits", "nil", 0, 0),
        ("2019-06-B01-2", "loans", "accepted", 1, 0),
        ("2019-06-B01-3", "loans", "rejected", 1, 1),
    ]
    assert rows(engine, "select submission_id, row_number, contract_no, balance from core.loans") == [
        ("2019-06-B01-2", 2, "HT-001", 50000)
    ]
    assert rows(engine, "select rule, level, file, row_number, cell, key from intake.finding limit 1") == [
        ("L03", "critical", "loans.csv", 2, "L2", "HT-001")
    ]
    put(inbox / "B01" / "v11", package(grid=[sound("grid", outlet_code="W2")]))
    assert replayed(engine, settings)[3:] == ["accepted"]
    states = {
        row.report: (row.state, row.version, row.superseded, row.newest_verdict)
        for row in read_status(engine, JUNE)
        if row.institution_code == "B01"
    }
    assert states["loans"] == ("accepted", 2, (), "rejected")
    assert states["grid"] == ("accepted", 4, (1,), "accepted")
    assert states["visits"] == ("nil", 1, (), "nil")
    assert states["matches"] == ("missing", None, (), None)


def test_same_bytes_make_no_new_version(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01" / "v1", sound_package("grid"))
    put(inbox / "B01" / "v2", sound_package("position"))
    put(inbox / "B01" / "v3", sound_package("grid"))
    assert replayed(engine, settings) == ["accepted", "accepted", "repeated"]
    assert replayed(engine, settings) == ["repeated"] * 3
    assert rows(engine, "select version from intake.submission order by 1") == [(1,), (2,)]


def test_replay_takes_file_times_and_keeps_the_files(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"), datetime(2019, 7, 30, 9, 15, tzinfo=SHANGHAI))
    (judgement,) = collect(engine, settings, JUNE, replay=True)
    assert judgement.received_at == datetime(2019, 7, 30, 9, 15, tzinfo=SHANGHAI)
    assert rows(engine, "select replayed from intake.submission") == [(True,)]
    assert len(list((inbox / "B01").iterdir())) == 2
    assert next(row for row in read_status(engine, JUNE) if row.report == "grid").late


def test_live_package_waits_until_it_is_settled_and_is_then_taken_out(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    put(inbox / "B01", sound_package("grid"), datetime.now(SHANGHAI))
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [State.INCOMPLETE]
    put(inbox / "B01", sound_package("grid"))
    before = datetime.now(SHANGHAI)
    (judgement,) = collect(engine, settings, JUNE)
    assert judgement.verdict is Verdict.ACCEPTED
    assert judgement.received_at is not None
    assert judgement.received_at >= before
    assert list((inbox / "B01").iterdir()) == []


def test_without_cover_it_is_incomplete(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [report_file("grid", [sound("grid")])])
    (judgement,) = collect(engine, settings, JUNE)
    assert (judgement.verdict, judgement.submission_id) == (State.INCOMPLETE, None)
    assert rows(engine, "select count(*) from intake.submission") == [(0,)]
    assert len(list((inbox / "B01").iterdir())) == 1


def test_files_without_a_cover_for_half_an_hour_are_told_once(engine: Engine, settings: Settings, inbox: Path) -> None:
    told = "select recipient, subject, html from notify.message where kind = 'reminder' order by created_at"
    files = [report_file("grid", [sound("grid")])]
    put(inbox / "B01", files, datetime.now(SHANGHAI) - timedelta(minutes=29))
    collect(engine, settings, JUNE)
    assert not rows(engine, told)
    put(inbox / "B01", files, datetime.now(SHANGHAI) - timedelta(minutes=31))
    collect(engine, settings, JUNE, notify_missing_cover=False)
    assert not rows(engine, told)
    collect(engine, settings, JUNE)
    collect(engine, settings, JUNE)
    ((recipient, subject, html),) = rows(engine, told)
    assert (recipient, subject) == ("b01@example.test", "【缺少报送说明】2019年6月 岭海通商")
    assert "grid.csv" in html
    assert "cover.csv" in html
    assert "金融精准扶贫贷款台账" in html, "what is owed and not there is named"
    assert "网格化管理责任表" not in html, "what lies there is not"
    put(inbox / "B01", [cover_file(cover_line("grid", [sound("grid")]))])
    (judgement,) = collect(engine, settings, JUNE)
    assert judgement.verdict is Verdict.ACCEPTED
    # Later files without a cover are another matter.
    put(inbox / "B01", sound_package("visits")[1:])
    collect(engine, settings, JUNE)
    assert len(rows(engine, told)) == 2


def test_in_a_replay_nobody_is_told_of_a_missing_cover(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [report_file("grid", [sound("grid")])])
    assert replayed(engine, settings) == ["incomplete"]
    assert rows(engine, "select count(*) from notify.message") == [(0,)]


def test_the_same_files_with_the_same_times_once_more_are_a_redelivery(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    receipts = "select count(*) from notify.message where kind = 'receipt'"
    for expected in (1, 2):
        put(inbox / "B01", sound_package("grid"))
        collect(engine, settings, JUNE)
        assert rows(engine, receipts) == [(expected,)]
        assert list((inbox / "B01").iterdir()) == []


def test_unreadable_files_leave_the_others_work_untouched(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [DeliveredFile("本月.xlsx", b"garbage")])
    put(inbox / "B02", [cover_file(cover_line("grid", [sound("grid")])), DeliveredFile("grid.xlsx", b"PK\x03\x04")])
    put(inbox / "B03", sound_package("grid"))
    put(inbox / "X99", sound_package("grid"))
    verdicts = {each.institution_code: str(each.verdict) for each in collect(engine, settings, JUNE)}
    assert verdicts == {"B01": "rejected", "B02": "rejected", "B03": "accepted"}
    assert rows(engine, "select submission_id, rule from intake.finding order by 1") == [
        ("2019-06-B01-1", "F01"),
        ("2019-06-B02-1", "F01"),
    ]
    assert len(list((inbox / "X99").iterdir())) == 2


def test_folders_that_nobody_looks_into_are_told(
    engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    months = ("2019-05/B1", "2019-06/B01", "2019-06/X99", "2019-13", "2019-6/B01", "2999-01/B01", RESIDENT_ID)
    for folder in months:
        (inbox.parent / folder).mkdir(parents=True)
    found = [each.sentence for each in find_unknown_folders(engine, settings)]
    assert found == [
        "2019-05: the folder 'B1' belongs to no institution open in the period",
        "2019-06: the folder 'X99' belongs to no institution open in the period",
        "Nobody looks into the inbox's folder '2019-13': it is no month (YYYY-MM).",
        "Nobody looks into the inbox's folder '2019-6': it is no month (YYYY-MM).",
        "Nobody looks into the inbox's folder '2999-01': 2999-01 has not begun.",
        "Nobody looks into the inbox's folder '4417**********0017': it is no month (YYYY-MM).",
    ]
    collect(engine, settings, JUNE)
    told = [record.getMessage() for record in caplog.records]
    assert found[3] in told
    assert not any("'B1'" in message for message in told), "another month's"


def test_one_institution_that_breaks_us_does_not_stop_the_others(
    engine: Engine,
    settings: Settings,
    inbox: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(inbox / "B01", sound_package("loans"))
    put(inbox / "B02", sound_package("grid"))
    judge = collection_module.judge_package

    def judge_or_break(files: Any, institution: Any, ruleset: Any, **options: Any) -> Any:
        if institution.code == "B01":
            raise ValueError(f"cannot read {RESIDENT_ID}")
        return judge(files, institution, ruleset, **options)

    monkeypatch.setattr(collection_module, "judge_package", judge_or_break)
    with caplog.at_level(logging.DEBUG):
        judgements = collect(engine, settings, JUNE)
    assert [str(each.verdict) for each in judgements] == ["failed", "accepted"]
    assert "B01 failed: ValueError" in caplog.text
    assert RESIDENT_ID not in caplog.text


def test_an_outbox_that_takes_nothing_for_one_institution_stops_that_one_only(
    engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(inbox / "B01", sound_package("grid"))
    put(inbox / "B02", package(grid=[sound("grid", head="赵六")]))
    outbox = Path(settings.outbox_address) / "2019-06"
    outbox.mkdir(parents=True)
    (outbox / "B01").write_text("a file where the folder belongs")
    judgements = collect(engine, settings, JUNE)
    assert [(each.institution_code, str(each.verdict)) for each in judgements] == [
        ("B01", "failed"),
        ("B02", "accepted"),
    ]
    assert "The outbox cannot be written to" in str(judgements[0].remark)
    assert "2019-06-B01-1: The outbox cannot be written to" in caplog.text
    assert rows(engine, "select institution_code from intake.submission order by 1") == [("B01",), ("B02",)]
    assert len(list((inbox / "B01").iterdir())) == 2, "not taken out without its receipt"
    (outbox / "B01").unlink()
    assert collect(engine, settings, JUNE) == []
    assert [path.name for path in (outbox / "B01").iterdir()] == ["receipt-v1.html"]
    assert list((inbox / "B01").iterdir()) == []


def test_a_close_whose_receipt_finds_no_room_writes_the_others(engine: Engine, settings: Settings, inbox: Path) -> None:
    for bank in ("B01", "B02"):
        loan = sound("loans", contract_no=f"HT-{bank}", principal="30000", balance="30000")
        put(inbox / bank, package(loans=[loan]))
    put(inbox / "C01", package(households=[sound("households")]))
    collect(engine, settings, JUNE, replay=True)
    outbox = Path(settings.outbox_address) / "2019-06"
    (outbox / "B01").rename(outbox / "aside")
    (outbox / "B01").write_text("a file where the folder belongs")
    with pytest.raises(OutboxError, match="The outbox cannot be written to"):
        close(engine, settings, JUNE, replay=True)
    assert (outbox / "B02" / "receipt-close.html").exists()
    assert rows(engine, "select period from intake.close") == [("2019-06",)]
    (outbox / "B01").unlink()
    close(engine, settings, JUNE, replay=True)
    assert (outbox / "B01" / "receipt-close.html").exists()


def test_two_at_once_make_one_version(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("loans", "grid"))
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.extend(replayed(engine, settings))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["accepted", "repeated", "repeated"]
    assert rows(engine, "select submission_id from intake.submission") == [("2019-06-B01-1",)]
    assert rows(engine, "select count(*) from core.loans") == [(1,)]


def test_ended_between_archive_and_ledger(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox / "B01", sound_package("loans"))

    with monkeypatch.context() as patch:
        patch.setattr(collection_module, "record", die)
        with pytest.raises(KeyboardInterrupt):
            collect(engine, settings, JUNE)
    archived = sorted(path for path in Path(settings.archive_address).rglob("*") if path.is_file())
    assert len(archived) == 2
    assert rows(engine, "select count(*) from intake.submission") == [(0,)]
    before = [path.stat().st_mtime_ns for path in archived]
    time.sleep(0.01)
    assert [str(each.verdict) for each in collect(engine, settings, JUNE)] == ["accepted"]
    assert [path.stat().st_mtime_ns for path in archived] == before


def test_ended_between_ledger_and_inbox(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    replayed(engine, settings)
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [State.REPEATED]
    assert list((inbox / "B01").iterdir()) == []


# The archive, before anything leaves the inbox


def archived(settings: Settings, sha256: str) -> Path:
    """Where the archived copy of a file lies."""
    return Path(settings.archive_address) / sha256[:2] / sha256


def lose(path: Path) -> None:
    path.unlink()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def assert_archived(settings: Settings, files: Iterable[DeliveredFile]) -> None:
    archive = Archive.of(settings)
    assert [archive.get(file.sha256) for file in files] == [file.content for file in files]


@pytest.mark.parametrize("damage", [lose, flip, empty])
@pytest.mark.parametrize("replay", [False, True])
def test_the_same_package_once_more_mends_the_archive_before_it_leaves(
    damage: Callable[[Path], None],
    replay: bool,
    engine: Engine,
    settings: Settings,
    inbox: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = sound_package("grid")
    put(inbox / "B01", files)
    collect(engine, settings, JUNE, replay=replay)
    assert_archived(settings, files)
    for file in files:
        damage(archived(settings, file.sha256))
    put(inbox / "B01", files)
    assert [each.verdict for each in collect(engine, settings, JUNE, replay=replay)] == [State.REPEATED]
    assert_archived(settings, files)
    assert list((inbox / "B01").iterdir()) == [] or replay
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    said = "不在归档中" if damage is lose else "的归档副本已损坏"
    assert told == [f"2019-06 B01：文件 {file.sha256} {said}，已用收件箱中的原件重新归档" for file in files]


def test_two_files_in_each_others_place_are_mended(engine: Engine, settings: Settings, inbox: Path) -> None:
    files = sound_package("grid")
    put(inbox / "B01", files)
    collect(engine, settings, JUNE)
    first, second = (archived(settings, file.sha256) for file in files)
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    put(inbox / "B01", files)
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [State.REPEATED]
    assert_archived(settings, files)


def test_a_damaged_copy_that_lies_there_already_is_mended_for_a_new_version(
    engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = sound_package("grid")
    path = archived(settings, files[1].sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a fi")
    put(inbox / "B01", files)
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [Verdict.ACCEPTED]
    assert_archived(settings, files)
    assert list((inbox / "B01").iterdir()) == []
    assert f"{files[1].sha256} 的归档副本已损坏" in caplog.text


def die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def left_on_record(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> list[DeliveredFile]:
    """A package that is on record and lies in the inbox still: whoever took it in was ended in between."""
    files = sound_package("grid")
    put(inbox / "B01", files)
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "remove", die)
        with pytest.raises(KeyboardInterrupt):
            collect(engine, settings, JUNE)
    assert rows(engine, "select submission_id from intake.submission") == [("2019-06-B01-1",)]
    assert len(list((inbox / "B01").iterdir())) == len(rows(engine, "select path from intake.taken_file")) == 2
    return files


@pytest.mark.parametrize("damage", [lose, flip, empty])
def test_what_an_ended_process_has_left_leaves_only_when_it_is_archived(
    damage: Callable[[Path], None],
    left_on_record: list[DeliveredFile],
    engine: Engine,
    settings: Settings,
    inbox: Path,
) -> None:
    for file in left_on_record:
        damage(archived(settings, file.sha256))
    assert collect(engine, settings, JUNE) == []
    assert list((inbox / "B01").iterdir()) == []
    assert_archived(settings, left_on_record)
    assert rows(engine, "select path from intake.taken_file") == []


def block(settings: Settings, file: DeliveredFile) -> Path:
    """Put a file where the archive wants a folder: nobody can write that one file, whatever the user's rights."""
    shard = archived(settings, file.sha256).parent
    shutil.rmtree(shard, ignore_errors=True)
    shard.parent.mkdir(parents=True, exist_ok=True)
    shard.write_bytes(b"")
    return shard


def test_what_an_ended_process_has_left_stays_where_it_cannot_be_archived(
    left_on_record: list[DeliveredFile],
    engine: Engine,
    settings: Settings,
    inbox: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    blocked = block(settings, left_on_record[1])
    cover, position = sound_package("position")
    put(inbox / "B01", [DeliveredFile("报送说明.csv", cover.content), position])
    assert [str(each.verdict) for each in collect(engine, settings, JUNE)] == ["accepted"], "what is new goes on"
    assert sorted(path.name for path in (inbox / "B01").iterdir()) == ["cover.csv", "grid.csv"]
    assert "2019-06 B01：归档写不进去或读不回来，文件留在收件箱" in caplog.text
    assert len(rows(engine, "select path from intake.taken_file")) == 2
    blocked.unlink()
    assert collect(engine, settings, JUNE) == []
    assert list((inbox / "B01").iterdir()) == []
    assert_archived(settings, left_on_record)
    assert len(rows(engine, "select 1 from intake.submission")) == 2


@pytest.mark.parametrize("is_on_record", [False, True])
def test_where_one_file_cannot_be_archived_its_package_stays_and_the_others_go_on(
    is_on_record: bool, engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = sound_package("grid")
    put(inbox / "B01", files)
    if is_on_record:
        collect(engine, settings, JUNE)
        put(inbox / "B01", files)
    versions = rows(engine, "select submission_id from intake.submission")
    mails = rows(engine, "select message_key from notify.message")
    blocked = block(settings, files[1])
    others = package(grid=[sound("grid", outlet_code="W2")])
    assert archived(settings, others[1].sha256).parent != blocked
    put(inbox / "B02", others)
    first, second = collect(engine, settings, JUNE)
    assert (first.institution_code, first.verdict, first.remark) == (
        "B01",
        State.FAILED,
        "The archive cannot be written to: Not a directory; the files stay in the inbox",
    )
    assert (second.institution_code, second.verdict) == ("B02", Verdict.ACCEPTED)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert told == (
        "2019-06 B01：归档写不进去或读不回来，文件留在收件箱，下次收集再试"
        "（The archive cannot be written to: Not a directory.）"
    )
    assert len(list((inbox / "B01").iterdir())) == 2
    assert rows(engine, "select submission_id from intake.submission") == [*versions, ("2019-06-B02-1",)]
    assert len(rows(engine, "select message_key from notify.message")) == len(mails) + 1
    blocked.unlink()
    expected = State.REPEATED if is_on_record else Verdict.ACCEPTED
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [expected]
    assert list((inbox / "B01").iterdir()) == []
    assert_archived(settings, files)


def test_a_collect_that_could_not_archive_is_no_collect_with_findings(
    settings: Settings, engine: Engine, inbox: Path
) -> None:
    files = sound_package("grid")
    put(inbox / "B01", files)
    block(settings, files[1])
    done = CliRunner().invoke(make_app(), ["collect", "2019-06"])
    assert done.exit_code == 2
    assert "B01: The archive cannot be written to: Not a directory; the files stay in the inbox" in done.output


def test_several_at_once_mend_the_archive_and_take_the_package_out(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    files = sound_package("loans", "grid")
    put(inbox / "B01", files)
    collect(engine, settings, JUNE)
    for file, damage in zip(files, (lose, flip, empty), strict=True):
        damage(archived(settings, file.sha256))
    put(inbox / "B01", files)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(collect(engine, settings, JUNE))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3, "none of them failed"
    assert State.FAILED not in {each.verdict for judgements in found for each in judgements}
    collect(engine, settings, JUNE)
    assert list((inbox / "B01").iterdir()) == []
    assert rows(engine, "select submission_id from intake.submission") == [("2019-06-B01-1",)]
    assert rows(engine, "select path from intake.taken_file") == []
    assert_archived(settings, files)


def test_archive_gives_the_bytes_back_and_keeps_none_in_the_clear(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    files = sound_package("loans")
    put(inbox / "B01", files)
    replayed(engine, settings)
    stored = dict(rows(engine, "select name, sha256 from intake.file"))
    assert set(stored) == {"cover.csv", "loans.csv"}
    archive = Archive.of(settings)
    assert {archive.get(stored[file.name]) for file in files} == {file.content for file in files}
    for path in Path(settings.archive_address).rglob("*"):
        assert path.is_dir() or (RESIDENT_ID.encode() not in path.read_bytes() and len(path.name) == 64)
    old, new = b"a" * 32, b"b" * 32
    address = str(inbox / "archive")
    sha256 = Archive(address, [old]).put(b"text")
    assert Archive(address, [new, old]).get(sha256) == b"text"
    with pytest.raises(ArchiveError):
        Archive(address, [new]).get(sha256)


def test_no_sensitive_value_is_in_any_table(engine: Engine, settings: Settings, inbox: Path) -> None:
    cover = cover_line("loans", [sound("loans")])
    cover[5] = PHONE
    notes = sound("loans", contract_no="HT-002", borrower_id=RESIDENT_ID[:17] + "0", project_no=RESIDENT_ID)
    put(
        inbox / "B01" / "v1",
        [
            cover_file(cover, cover_line("grid", [sound("grid")])),
            report_file("grid", [sound("grid")]),
            report_file("loans", [sound("loans")]),
        ],
    )
    put(inbox / "B01" / "v2", package(loans=[notes]))
    put(inbox / "C01", package(households=[sound("households")]))
    assert replayed(engine, settings) == ["accepted", "rejected"]
    assert replayed(engine, settings, "C01") == ["accepted"]
    dump: list[str] = []
    for schema, name in rows(
        engine,
        "select table_schema, table_name from information_schema.tables where table_schema in ('intake', 'core')",
    ):
        dump += [row[0] for row in rows(engine, f"select t::text from {schema}.{name} as t")]
    everything = "\n".join(dump)
    assert "4417**********0017" in everything
    assert "138****5678" in everything
    assert "****0123" in everything
    assert "陈*" in everything
    for secret in (RESIDENT_ID, RESIDENT_ID[:17], PHONE, ACCOUNT, "陈大文"):
        assert secret not in everything
    (loan,) = rows(engine, "select borrower_id_hash from core.loans")
    (head,) = rows(engine, "select head_id_hash from core.households")
    assert loan == head


def test_phone_of_the_cover_is_masked(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    replayed(engine, settings)
    assert rows(engine, "select submitted_by, phone_masked from intake.submission") == [("李某", "066****4567")]


def test_placeholders_in_the_address(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"inbox": str(tmp_path / "home" / "{institution}" / "{period}")})
    put(tmp_path / "home" / "B05" / "2019-06", sound_package("grid"))
    assert [each.submission_id for each in collect(engine, own, JUNE)] == ["2019-06-B05-1"]


def test_office_leftovers_are_no_part_of_a_package(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [*sound_package("grid"), DeliveredFile("~$月报.xlsx", b"x"), DeliveredFile(".DS_Store", b"x")])
    assert replayed(engine, settings) == ["accepted"]
    assert rows(engine, "select count(*) from intake.file") == [(2,)]


def test_control_characters_in_a_cell_are_a_finding_and_storable(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    put(
        inbox / "B01",
        package(
            grid=[
                sound("grid", head="王\x00五"),
                sound("grid", village="𠮷村·"),
            ]
        ),
    )
    assert replayed(engine, settings) == ["rejected"]
    assert rows(engine, "select rule, value from intake.finding") == [("T02", "王\ufffd五")]


@pytest.mark.parametrize(
    ("period", "institution", "error"),
    [
        (Period(2999, 1), None, UsageError),
        (Period(2019, 5), None, UsageError),
        (Period(2019, 7), None, UsageError),
        (JUNE, "B99", UsageError),
    ],
    ids=["future", "before the first", "after the last", "unknown institution"],
)
def test_what_cannot_be_collected(
    engine: Engine, settings: Settings, period: Period, institution: str | None, error: type[Exception]
) -> None:
    own = settings.model_copy(update={"first_period": JUNE, "last_period": JUNE})
    with pytest.raises(error):
        collect(engine, own, period, institution=institution)


@pytest.mark.parametrize("secret", ["pii_key", "archive_key"])
def test_missing_secret_is_our_error(engine: Engine, settings: Settings, secret: str) -> None:
    with pytest.raises(SetupError, match="is not set"):
        collect(engine, settings.model_copy(update={secret: None}), JUNE)


@pytest.mark.parametrize("setting", ["inbox", "archive"])
def test_address_that_cannot_be_used_is_our_error(engine: Engine, settings: Settings, setting: str) -> None:
    with pytest.raises(SetupError, match=setting):
        collect(engine, settings.model_copy(update={setting: "nosuch://user:secret@host/x"}), JUNE)


# Close


def test_close_freezes_what_stands(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01" / "v1", sound_package("grid", "loans"))
    put(inbox / "B01" / "v2", package(**BAD_LOANS))
    replayed(engine, settings)
    assert close(engine, settings, JUNE, replay=True).frozen_reports == 2
    frozen = "select institution_code, report, submission_id from intake.frozen_report order by report"
    assert rows(engine, frozen) == [("B01", "grid", "2019-06-B01-1"), ("B01", "loans", "2019-06-B01-1")]

    # Closed and not assessed: a late file can still get the month going.
    put(inbox / "B01" / "v3", sound_package("position"))
    replayed(engine, settings)
    assert close(engine, settings, JUNE).frozen_reports == 3

    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "values ('2019-06-r1', '2019-06', 1, now(), '', '', '', '', true)"
            )
        )
    put(inbox / "B01" / "v4", package(visits=[]))
    replayed(engine, settings)
    closed = close(engine, settings, JUNE)
    assert (closed.frozen_reports, closed.is_new) == (3, False)


def test_status_before_the_deadline_expects(engine: Engine, settings: Settings) -> None:
    collect(engine, settings, Period.current())
    states = read_status(engine, Period.current())
    assert {row.state for row in states} == {"expected"}
    assert len(states) == 12 * 6 + 4 * 4 + 2


def test_status_of_a_period_that_was_never_opened(engine: Engine) -> None:
    with pytest.raises(UsageError):
        read_status(engine, JUNE)


# Self-check


@pytest.mark.slow
def test_check_needs_no_database(tmp_path: Path) -> None:
    settings = Settings.load()
    put(tmp_path / "mine", package(**BAD_LOANS))
    judgement = check(settings, tmp_path / "mine", "B01", JUNE)
    assert (judgement.verdict, [finding.rule for finding in judgement.findings]) == (Verdict.REJECTED, ["L03"])
    alone = check(settings, tmp_path / "mine" / "loans.csv", "B01", JUNE)
    assert [finding.rule for finding in alone.findings] == ["F08", "L03"]
    for path, who in ((tmp_path / "nothing", "B01"), (tmp_path / "mine", "B99")):
        with pytest.raises(UsageError):
            check(settings, path, who, JUNE)


def test_a_replay_of_one_does_not_look_after_what_is_on_record_of_earlier_codes(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = ("C01", "C02", "C03", "C04")
    for number, code in enumerate(codes, start=1):
        put(inbox / code / "v1", package(households=[sound("households", household_no=f"H-{number}")]))
    looked_after: list[str] = []
    ordinary = collection_module.write_missing_receipts

    def noted(engine: Engine, settings: Settings, period: Period, code: str) -> None:
        looked_after.append(code)
        ordinary(engine, settings, period, code)

    monkeypatch.setattr(collection_module, "write_missing_receipts", noted)
    for code in codes:
        assert replayed(engine, settings, code) == ["accepted"]
    assert looked_after == list(codes)
    # What has come for an earlier one since is taken in before, as ever.
    put(inbox / "C01" / "v2", package(households=[sound("households", household_no="H-4")]))
    put(inbox / "C04" / "v2", package(households=[sound("households", household_no="H-5")]))
    looked_after.clear()
    assert replayed(engine, settings, "C04") == ["repeated", "accepted"]
    assert sorted(looked_after) == ["C01", "C04"]
    versions = "select submission_id, verdict from intake.submission where version = 2 order by 1"
    assert rows(engine, versions) == [("2019-06-C01-2", "rejected"), ("2019-06-C04-2", "accepted")]
