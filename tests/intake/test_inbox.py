"""The inbox in a local folder, by SFTP and on S3 (docs/intake.md#the-package)."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import openpyxl
import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Engine

from five_precisions.collection import close, collect, collect_late
from five_precisions.errors import SetupError, UnreachableError
from five_precisions.intake import State, Verdict, find_settled
from five_precisions.intake.archive import Archive, Condition
from five_precisions.intake.inbox import Inbox
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import SHANGHAI
from five_precisions.settings import Settings
from tests.packages import JUNE, package, put, sound, sound_package, workbook
from tests.rows import rows
from tests.s3_server import BUCKET, S3Server
from tests.sftp_server import COLLECTOR, SftpServer, password_of
from tests.waiting import wait_until

MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    running = SftpServer(tmp_path_factory.mktemp("sftp"))
    yield running
    running.close()


@pytest.fixture
def server(running_server: SftpServer, tmp_path: Path) -> SftpServer:
    """The server with empty homes of its own, started."""
    running_server.root = tmp_path / "sftp"
    (running_server.root / "home").mkdir(parents=True)
    running_server.drop_after = running_server.while_reading = None
    running_server.stop()
    running_server.start()
    return running_server


def with_inbox(settings: Settings, address: str, **options: Any) -> Settings:
    """The same installation with another inbox; files count as settled at once, unless they say otherwise."""
    return Settings(
        _env_file=None,
        **{**settings.model_dump(), "inbox": address, "inbox_options": json.dumps(options), "settle_seconds": 1},
    )


def contents(*files: DeliveredFile) -> dict[str | bytes, bytes]:
    return {file.name: file.content for file in files}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Any inbox


def test_links_are_not_followed(
    engine: Engine, settings: Settings, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(inbox / "B02" / "elsewhere", sound_package("grid"))
    (inbox / "B01").symlink_to(inbox / "B02" / "elsewhere")
    put(inbox / "B03", sound_package("grid"))
    (inbox / "B03" / "position.csv").symlink_to(inbox / "B02" / "elsewhere" / "grid.csv")
    (inbox / "B03" / "v1").symlink_to(inbox / "B02" / "elsewhere")
    found = [(each.institution_code, str(each.verdict)) for each in collect(engine, settings, JUNE)]
    # What lies in a real folder is named, and waits for somebody to move it.
    assert found == [("B02", "incomplete"), ("B03", "accepted")]
    assert rows(engine, "select name from intake.file order by 1") == [("cover.csv",), ("grid.csv",)]
    assert names(inbox / "B02" / "elsewhere") == ["cover.csv", "grid.csv"]
    assert "2019-06 B01: its folder is a link, and links are not followed" in caplog.text
    assert [str(each.verdict) for each in collect(engine, settings, JUNE, institution="B03", replay=True)] == []


def test_an_upload_under_way_is_waited_for_and_never_read(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    put(inbox / "B01", [DeliveredFile("position.xlsx.filepart", b"PK")], datetime.now(SHANGHAI))
    assert find_settled(settings, JUNE, "B01") is None
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [State.INCOMPLETE]
    # Nothing has come for long: the connection was lost, and the program will send it under that name again.
    put(inbox / "B01", [DeliveredFile("position.xlsx.filepart", b"PK")])
    assert find_settled(settings, JUNE, "B01") is not None
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [Verdict.ACCEPTED]
    assert names(inbox / "B01") == ["position.xlsx.filepart"]
    assert rows(engine, "select name from intake.file order by 1") == [("cover.csv",), ("grid.csv",)]


def test_a_file_time_that_no_clock_will_catch_up_does_not_hold_a_package_back(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    put(inbox / "B01", sound_package("grid"), datetime.now(SHANGHAI) + timedelta(minutes=5))
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [State.INCOMPLETE]
    put(inbox / "B01", sound_package("grid"), datetime(2099, 1, 1, tzinfo=SHANGHAI))
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [Verdict.ACCEPTED]


def test_names_with_tricks_do_no_harm(engine: Engine, settings: Settings, inbox: Path) -> None:
    tricks = [
        "x\\..\\..\\B02\\grid.csv",
        "%2e%2e%2fgrid.csv",
        "s3:x::y.csv",
        "*?[a].csv",
        "a\nb\r.csv",
        "~root.csv",
        "$(touch x).csv",
        os.fsdecode("月报.csv".encode("gbk")),
        "长" * 83 + ".csv",
    ]
    put(inbox / "B01", [*sound_package("grid"), *(DeliveredFile(name, b"x") for name in tricks)])
    put(inbox / "B02", sound_package("position"))
    (inbox / "B01" / "附件").mkdir()
    (inbox / "B01" / "附件" / "grid.csv").write_bytes(b"x")
    found = {each.institution_code: each for each in collect(engine, settings, JUNE)}
    assert {code: str(each.verdict) for code, each in found.items()} == {"B01": "accepted", "B02": "accepted"}
    assert len(rows(engine, "select name from intake.file where submission_id like '%B01%'")) == len(tricks) + 2
    assert names(inbox / "B01") == ["附件"]
    stored = rows(engine, "select name, sha256 from intake.file where name like '长%'")
    assert Archive.of(settings).get(stored[0][1]) == b"x"


def test_folders_that_may_not_be_listed_stop_nobody_else(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The inbox itself and the months', as an S3 policy may have it, and one institution's, by its own mistake."""
    close(engine, settings.model_copy(update={"first_period": JUNE}), JUNE)
    for code in ("B01", "B02"):
        put(inbox / code, sound_package("grid"))
    closed = {str(inbox.parent), str(inbox), str(inbox / "B01")}
    real = LocalFileSystem.ls

    def ls(files: LocalFileSystem, path: str, *arguments: Any, **options: Any) -> Any:
        if path.rstrip("/") in closed:
            raise PermissionError(13, "Permission denied")
        return real(files, path, *arguments, **options)

    monkeypatch.setattr(LocalFileSystem, "ls", ls)
    monkeypatch.setattr(Inbox, "_leads_elsewhere", lambda *_: False)
    late = {each.institution_code: str(each.verdict) for each in collect_late(engine, settings)}
    assert (late.pop("B01"), late.pop("B02")) == ("failed", "accepted")
    assert late == {}
    assert "2019-06 B01 failed: PermissionError" in caplog.text
    put(inbox / "B02", sound_package("position"))
    assert [str(each.verdict) for each in collect(engine, settings, JUNE)] == ["failed", "accepted"]


def test_only_what_is_unchanged_is_taken_out(settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    opened = Inbox.of(settings)
    (delivery,) = opened.deliveries(JUNE, "B01", replay=False)
    # Of the same size and the same time, as a program writes that keeps file times.
    put(inbox / "B01", [DeliveredFile("grid.csv", opened.read(delivery)[1].content[::-1])])
    (inbox / "B01" / "grid.csv").rename(inbox / "B01" / "x")
    put(inbox / "B01", [DeliveredFile("grid.csv", (inbox / "B01" / "x").read_bytes())])
    assert not opened.is_unchanged(delivery)
    assert opened.remove(delivery) == ()
    assert names(inbox / "B01") == ["grid.csv", "x"]


def test_a_file_above_the_limit_is_archived_and_rejected(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"max_file_mb": 1})
    large = DeliveredFile("loans.csv", os.urandom(MEGABYTE) * 40)
    put(inbox / "B01", [*sound_package("grid"), large])
    (judgement,) = collect(engine, settings, JUNE)
    assert [(each.rule, each.file) for each in judgement.findings] == [("F01", "loans.csv")]
    assert "超过1MB" in judgement.findings[0].message
    assert {each.report: str(each.verdict) for each in judgement.reports}["grid"] == "accepted"
    assert rows(engine, "select size, sha256 from intake.file where name = 'loans.csv'") == [
        (40 * MEGABYTE, large.sha256)
    ]
    archive = Archive.of(settings)
    assert archive.get(large.sha256) == large.content
    stored = Path(settings.archive_address) / large.sha256[:2] / large.sha256
    assert len(stored.read_bytes().split(b"\n")) == 5 + 1
    assert names(inbox / "B01") == []


@pytest.mark.integration
def test_a_file_of_400_megabytes_takes_little_memory(tmp_path: Path) -> None:
    folder = tmp_path / "inbox" / "2019-06" / "B01"
    folder.mkdir(parents=True)
    with (folder / "loans.csv").open("wb") as file:
        file.truncate(400 * MEGABYTE)
    program = f"""
from five_precisions.intake.archive import Archive, Condition
from five_precisions.intake.inbox import Inbox
from five_precisions.period import Period
from tests.memory import peak_megabytes
inbox = Inbox({str(tmp_path / "inbox")!r}, largest={50 * MEGABYTE})
archive = Archive({str(tmp_path / "archive")!r}, [b"k" * 32])
before = peak_megabytes()
[delivery] = inbox.deliveries(Period(2019, 6), "B01", replay=False)
[file] = inbox.read(delivery)
archive.keep(file)
print(file.sha256, file.size, round(peak_megabytes() - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    sha256, size, grown = done.stdout.split()
    assert int(size) == 400 * MEGABYTE
    assert (tmp_path / "archive" / sha256[:2] / sha256).stat().st_size > 400 * MEGABYTE
    assert int(grown) < 250, "megabytes"


def test_a_large_file_that_changes_before_it_is_archived_waits_for_the_next_look(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"max_file_mb": 1})
    put(inbox / "B01", [*sound_package("grid"), DeliveredFile("loans.csv", b"x" * 2 * MEGABYTE)])
    keep = Archive.keep

    def keep_late(self: Archive, file: DeliveredFile) -> Condition:
        put(inbox / "B01", [DeliveredFile("loans.csv", b"y" * 2 * MEGABYTE)])
        return keep(self, file)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "keep", keep_late)
        assert [each.verdict for each in collect(engine, settings, JUNE)] == [State.INCOMPLETE]
    assert rows(engine, "select 1 from intake.submission") == []
    assert [each.verdict for each in collect(engine, settings, JUNE)] == [Verdict.PARTIAL]
    assert not list(Path(settings.archive_address).rglob("*.part"))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("sftp://{institution}@127.0.0.1/in", "in its path only"),
        ("nonsense://x/y", "address or options cannot be used: ValueError"),
    ],
)
def test_an_address_that_means_nothing_is_refused(address: str, reason: str) -> None:
    with pytest.raises(SetupError, match=reason):
        Inbox(address)


def test_options_are_a_secret_and_an_object(settings: Settings) -> None:
    shown = with_inbox(settings, "sftp://user:in-the-address@host/", password="in-the-options")
    assert "in-the" not in repr(shown)
    assert "in-the" not in str(shown)
    assert shown.storage_options("inbox") == {"password": "in-the-options"}
    assert settings.storage_options("archive") == {}
    wrong = settings.model_copy(update={"outbox_options": shown.inbox_options})
    assert wrong.storage_options("outbox") == {"password": "in-the-options"}
    with pytest.raises(SetupError, match="FIVE_PRECISIONS_INBOX_OPTIONS is not a JSON object"):
        Settings(_env_file=None, inbox_options="[1]").storage_options("inbox")


# SFTP: an account per institution


def test_a_package_by_sftp_is_judged_and_taken_out(engine: Engine, settings: Settings, server: SftpServer) -> None:
    own = with_inbox(settings, server.address, **server.options())
    server.deliver("B01", "2019-06", contents(*sound_package("grid", "loans")))
    server.deliver("B02", "2019-06", {"cover.csv": b"", "月报.xlsx": workbook(grid=[["x"]])})
    found = {each.institution_code: str(each.verdict) for each in collect(engine, own, JUNE)}
    assert found["B01"] == "accepted"
    assert rows(engine, "select count(*) from core.loans") == [(1,)]
    assert rows(engine, "select delivered_at from intake.submission where institution_code = 'B01'") == [
        (datetime(2019, 7, 3, 10, tzinfo=SHANGHAI),)
    ]
    assert names(server.root / "home" / "B01" / "2019-06") == []
    assert (Path(settings.outbox_address) / "2019-06" / "B01" / "receipt-v1.html").exists()
    assert [each.institution_code for each in collect(engine, own, JUNE)] in ([], ["B02"])


def test_the_usual_layout_by_sftp(engine: Engine, settings: Settings, server: SftpServer) -> None:
    put(server.root / "inbox" / "2019-06" / "B01", sound_package("grid"))
    put(server.root / "inbox" / "2019-06" / "X99", sound_package("grid"))
    address = f"sftp://{COLLECTOR}:{password_of(COLLECTOR)}@127.0.0.1:{server.port}/inbox"
    own = with_inbox(settings, address, host_key=server.public_host_key)
    assert [str(each.verdict) for each in collect(engine, own, JUNE)] == ["accepted"]
    assert Inbox.of(own).unknown_folders(JUNE, {"B01"}) == ["X99"]
    with pytest.raises(SetupError, match=r"The inbox sftp://127.0.0.1:[0-9]+/nowhere is not there\."):
        Inbox.of(with_inbox(settings, address.replace("/inbox", "/nowhere"), host_key=server.public_host_key))


def test_an_institution_s_link_does_not_lead_to_another_s_files(
    engine: Engine, settings: Settings, server: SftpServer
) -> None:
    own = with_inbox(settings, server.address, **server.options())
    put(server.root / "home" / "B02" / "2019-06", sound_package("grid"))
    (server.root / "home" / "B01").mkdir()
    (server.root / "home" / "B01" / "2019-06").symlink_to("../B02/2019-06")
    assert collect(engine, own, JUNE, institution="B01") == []
    assert names(server.root / "home" / "B02" / "2019-06") == ["cover.csv", "grid.csv"]
    (server.root / "home" / "B03" / "2019-06").mkdir(parents=True)
    put(server.root / "home" / "B03" / "2019-06", sound_package("position"))
    (server.root / "home" / "B03" / "2019-06" / "grid.csv").symlink_to("../../B02/2019-06/grid.csv")
    (judgement,) = collect(engine, own, JUNE, institution="B03")
    assert [each.report for each in judgement.reports] == ["position"]


def test_a_name_in_gbk_by_sftp_is_delivered_like_any_other(
    engine: Engine, settings: Settings, server: SftpServer
) -> None:
    own = with_inbox(settings, server.address, **server.options())
    server.deliver("B01", "2019-06", {**contents(*sound_package("grid")), "说明.dat".encode("gbk"): b"x"})
    (judgement,) = collect(engine, own, JUNE)
    assert [each.rule for each in judgement.findings] == ["F01"]
    assert [str(each.verdict) for each in judgement.reports] == ["accepted"]
    assert names(server.root / "home" / "B01" / "2019-06") == []


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_look(
    engine: Engine, settings: Settings, server: SftpServer
) -> None:
    own = with_inbox(settings, server.address, **server.options())
    whole = sound_package("grid")
    half = DeliveredFile("grid.csv", whole[1].content[:40])
    server.deliver("B01", "2019-06", contents(whole[0], half))

    def go_on() -> None:
        (server.root / "home" / "B01" / "2019-06" / "grid.csv").write_bytes(whole[1].content)

    server.while_reading = go_on
    assert [each.verdict for each in collect(engine, own, JUNE)] == [State.INCOMPLETE]
    assert server.while_reading is None
    assert rows(engine, "select 1 from intake.submission") == []
    server.deliver("B01", "2019-06", contents(*whole))
    assert [each.verdict for each in collect(engine, own, JUNE)] == [Verdict.ACCEPTED]


def test_a_connection_lost_in_the_middle_of_a_read_loses_and_doubles_nothing(
    engine: Engine, settings: Settings, server: SftpServer
) -> None:
    own = with_inbox(settings, server.address, **server.options())
    package = [*sound_package("grid"), DeliveredFile("附件.dat", os.urandom(4 * MEGABYTE))]
    server.deliver("B01", "2019-06", contents(*package))
    server.drop_after = 2 * MEGABYTE
    with pytest.raises(UnreachableError, match=r"^The inbox sftp://127\.0\.0\.1:[0-9]+/home/ does not answer: \w+\.$"):
        collect(engine, own, JUNE)
    assert server.drop_after is None
    assert rows(engine, "select 1 from intake.submission") == []
    assert len(names(server.root / "home" / "B01" / "2019-06")) == 3
    # The attachment is no report: a finding, and no more.
    assert [each.verdict for each in collect(engine, own, JUNE)] == [Verdict.PARTIAL]
    assert rows(engine, "select version from intake.submission") == [(1,)]
    assert rows(engine, "select report, verdict from intake.report") == [("grid", "accepted")]
    assert names(server.root / "home" / "B01" / "2019-06") == []


def test_a_server_that_goes_and_comes_again_is_taken_up_again(settings: Settings, server: SftpServer) -> None:
    own = with_inbox(settings, server.address, **server.options())
    server.deliver("B01", "2019-06", contents(*sound_package("grid")))
    seen = find_settled(own, JUNE, "B01")
    assert seen is not None
    server.stop()
    for _ in range(2):
        with pytest.raises(UnreachableError, match="does not answer"):
            find_settled(own, JUNE, "B01")
    server.start()
    assert find_settled(own, JUNE, "B01") == seen


def test_a_connection_cut_between_two_looks_is_not_noticed(settings: Settings, server: SftpServer) -> None:
    own = with_inbox(settings, server.address, **server.options())
    server.deliver("B01", "2019-06", contents(*sound_package("grid")))
    seen = find_settled(own, JUNE, "B01")
    assert seen is not None
    connection = Inbox.of(own)._files.client
    server.stop()
    server.start()
    # That it was cut is heard by a thread of the client's own.
    wait_until(connection.is_closed)
    assert find_settled(own, JUNE, "B01") == seen


def test_polling_for_three_hundred_institutions_takes_one_connection(settings: Settings, server: SftpServer) -> None:
    own = with_inbox(settings, server.address, **server.options())
    before = server.connected
    for number in range(300):
        assert find_settled(own, JUNE, f"B{number:03}") is None
    assert server.connected - before == 1
    assert len(server.connections) == 1


@pytest.mark.parametrize("known", ["host_key", "known_hosts", "nobody"])
def test_a_host_key_that_is_not_the_known_one_is_refused(
    known: str, settings: Settings, server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    monkeypatch.setenv("HOME", str(tmp_path))
    options = server.options()
    del options["host_key"]
    if known == "host_key":
        options["host_key"] = other
    elif known == "known_hosts":
        (tmp_path / "hosts").write_text(f"[127.0.0.1]:{server.port} {other}\n")
        options["known_hosts"] = str(tmp_path / "hosts")
    reason = "^The inbox sftp://127.0.0.1:[0-9]+/home/ shows a host key that is not the known one; [^.]*[.]$"
    with pytest.raises(SetupError, match=reason) as refused:
        Inbox.of(with_inbox(settings, server.address, **options))
    assert not isinstance(refused.value, UnreachableError)


def test_known_hosts_are_the_user_s(
    settings: Settings, server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.public_host_key}\n")
    options = server.options()
    del options["host_key"]
    assert Inbox.of(with_inbox(settings, server.address, **options)).deliveries(JUNE, "B01", replay=False) == []
    with pytest.raises(SetupError, match=r"file of known hosts, /nowhere, is not there"):
        Inbox.of(with_inbox(settings, server.address, **{**options, "known_hosts": "/nowhere"}))


def test_a_refused_account_is_told_without_its_password(
    settings: Settings, server: SftpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options = {"username": COLLECTOR, "password": "not-the-password", "host_key": server.public_host_key}
    with pytest.raises(SetupError) as refused:
        Inbox.of(with_inbox(settings, server.address, **options))
    assert "refuses the account, its password or its key" in str(refused.value)
    assert "not-the-password" not in f"{refused.value} {refused.value.__cause__} {caplog.text}"
    with pytest.raises(SetupError, match="cannot be reached with that key: KeyImportError"):
        Inbox.of(with_inbox(settings, server.address, **server.options(private_key="not-a-key")))
    with pytest.raises(SetupError, match="cannot be used: TypeError") as refused:
        Inbox.of(with_inbox(settings, server.address, **server.options(pasword="misspelt-name")))
    assert "misspelt" not in str(refused.value)


# S3: a prefix per institution


def test_a_package_on_s3_is_judged_and_taken_out(engine: Engine, settings: Settings, s3: S3Server) -> None:
    own = with_inbox(settings, f"s3://{BUCKET}/in", **s3.options).model_copy(update={"settle_seconds": 0})
    assert collect(engine, own, JUNE) == []
    s3.put("in/2019-06/B01/", b"")
    for file in sound_package("grid"):
        s3.put(f"in/2019-06/B01/{file.name}", file.content)
    s3.put("in/2019-06/B01/../B02/cover.csv", b"x")
    s3.put("in/2019-06/X99/cover.csv", b"x")
    assert find_settled(own.model_copy(update={"settle_seconds": 3600}), JUNE, "B01") is None
    before = find_settled(own, JUNE, "B01")
    (judgement,) = collect(engine, own, JUNE)
    assert before is not None
    assert judgement.verdict is Verdict.ACCEPTED
    assert rows(engine, "select name, size > 0 from intake.file order by 1") == [
        ("cover.csv", True),
        ("grid.csv", True),
    ]
    assert list(s3.marks()) == ["in/2019-06/B01/", "in/2019-06/B01/../B02/cover.csv", "in/2019-06/X99/cover.csv"]
    assert (Path(settings.outbox_address) / "2019-06" / "B01" / "receipt-v1.html").exists()
    assert Inbox.of(own).unknown_folders(JUNE, {"B01"}) == ["X99"]


def test_another_layout_archive_and_outbox_on_s3(engine: Engine, settings: Settings, s3: S3Server) -> None:
    own = with_inbox(settings, f"s3://{BUCKET}/{{institution}}/{{period}}", **s3.options)
    own = own.model_copy(
        update={"settle_seconds": 0, "archive": f"s3://{BUCKET}/archive", "archive_options": own.inbox_options}
    )
    (file,) = [file for file in sound_package("grid") if file.name == "grid.csv"]
    for each in sound_package("grid"):
        s3.put(f"B01/2019-06/{each.name}", each.content)
    assert [each.verdict for each in collect(engine, own, JUNE)] == [Verdict.ACCEPTED]
    assert [key for key in s3.marks() if not key.startswith("archive/")] == []
    assert len(s3.marks()) == 2
    assert Archive.of(own).get(file.sha256) == file.content


# The outbox: receipts and findings workbooks


def with_outbox(settings: Settings, address: str, **options: Any) -> Settings:
    """The same installation with another outbox."""
    return Settings(
        _env_file=None, **{**settings.model_dump(), "outbox": address, "outbox_options": json.dumps(options)}
    )


LEFT = ["2019-06/B01/findings-v1.xlsx", "2019-06/B01/receipt-v1.html", "2019-06/B01/receipt-v2.html"]


def test_receipts_and_workbooks_on_s3(engine: Engine, settings: Settings, inbox: Path, s3: S3Server) -> None:
    own = with_outbox(settings, f"s3://{BUCKET}/out", **s3.options)
    put(inbox / "B01", package(grid=[sound("grid", hotline="")]))
    assert [each.verdict for each in collect(engine, own, JUNE)] == [Verdict.ACCEPTED]
    put(inbox / "B01", sound_package("grid"))
    assert [each.verdict for each in collect(engine, own, JUNE)] == [Verdict.ACCEPTED]
    assert list(s3.marks()) == [f"out/{name}" for name in LEFT]
    content = s3.get(f"out/{LEFT[0]}")
    assert openpyxl.load_workbook(io.BytesIO(content)).sheetnames[0] == "问题清单"
    written = s3.marks()
    s3.delete(f"out/{LEFT[1]}")
    collect(engine, own, JUNE)
    assert s3.marks() == written


def test_receipts_and_workbooks_by_sftp(engine: Engine, settings: Settings, inbox: Path, server: SftpServer) -> None:
    address = f"sftp://{COLLECTOR}@127.0.0.1:{server.port}/out"
    own = with_outbox(settings, address, password=password_of(COLLECTOR), host_key=server.public_host_key)
    put(inbox / "B01", package(grid=[sound("grid", hotline="")]))
    assert [each.verdict for each in collect(engine, own, JUNE)] == [Verdict.ACCEPTED]
    put(inbox / "B01", sound_package("grid"))
    server.stop()
    # What cannot be answered is not judged; it waits until the server is there again.
    with pytest.raises(UnreachableError, match="does not answer"):
        collect(engine, own, JUNE)
    assert rows(engine, "select version from intake.submission") == [(1,)]
    server.start()
    collect(engine, own, JUNE)
    folder = server.root / "out"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == LEFT
    assert "2019-06-B01-2" in (folder / LEFT[2]).read_text()
    assert list((inbox / "B01").iterdir()) == []
    assert rows(engine, "select count(*) from notify.message") == [(2,)]


def test_an_s3_store_without_the_bucket_or_without_an_answer(
    settings: Settings, s3: S3Server, unused_port: int
) -> None:
    with pytest.raises(SetupError, match=r"The inbox s3://misspelt/in is not there\."):
        Inbox.of(with_inbox(settings, "s3://misspelt/in", **s3.options))
    nobody = f"http://127.0.0.1:{unused_port}"
    config = {"connect_timeout": 1, "retries": {"max_attempts": 0}}
    options = {**s3.options, "endpoint_url": nobody, "config_kwargs": config}
    gone = with_inbox(settings, f"s3://{BUCKET}/in", **options)
    with pytest.raises(UnreachableError, match=r"^The inbox s3://five-precisions/in does not answer: \w+\.$"):
        find_settled(gone, JUNE, "B01")


@pytest.fixture
def unused_port() -> int:
    """A port of loopback where nobody listens."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
