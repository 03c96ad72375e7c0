"""The ledger is held against the archive, whole (docs/intake.md#its-life)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from five_precisions.cli import make_app
from five_precisions.errors import UnreachableError, UsageError
from five_precisions.intake import Condition, Fault, Renewal, Verification, renew, verify
from five_precisions.intake.archive import Archive, Copy
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import Period
from five_precisions.register import open_period
from five_precisions.settings import PREFIX, Settings
from tests.command_line import assert_one_sentence, run
from tests.conftest import SECRET
from tests.s3_server import BUCKET, S3Server
from tests.sftp_server import SftpServer

MAY, JUNE, JULY = Period(2019, 5), Period(2019, 6), Period(2019, 7)
OTHER = "another-secret-of-at-least-32-bytes"
NAME = "月报.xlsx"
LONGEST = 8 * 1024**2


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"replay": True})


@pytest.fixture
def deliver(engine: Engine, settings: Settings) -> Callable[..., str]:
    """Lay a file into archive and ledger, as a version of its own; its SHA-256."""
    versions: dict[tuple[Period, str], int] = {}

    def delivered(content: bytes, period: Period = JUNE, code: str = "B01", name: str = NAME) -> str:
        sha256 = Archive.of(settings).put(content)
        version = versions[period, code] = versions.get((period, code), 0) + 1
        names = {"id": f"{period}-{code}-{version}", "period": str(period), "code": code, "version": version}
        with engine.begin() as connection:
            open_period(connection, settings, period)
            connection.execute(
                text(
                    "insert into intake.submission (submission_id, period, institution_code, version, received_at, "
                    "delivered_at, replayed, digest, verdict) "
                    "values (:id, :period, :code, :version, now(), now(), true, :id, 'accepted')"
                ),
                names,
            )
            connection.execute(
                text("insert into intake.file values (:id, :name, :sha256, :size)"),
                {**names, "name": name, "sha256": sha256, "size": len(content)},
            )
        return sha256

    return delivered


def archived(settings: Settings, sha256: str) -> Path:
    return Path(settings.archive_address) / sha256[:2] / sha256


def with_keys(settings: Settings, *keys: str) -> Settings:
    return Settings(_env_file=None, **{**settings.model_dump(), "archive_key": ",".join(keys)})


def command(*words: str) -> Result:
    return CliRunner().invoke(make_app(), [*words])


def test_a_sound_archive_is_read_whole(engine: Engine, settings: Settings, deliver: Callable[..., str]) -> None:
    deliver(b"a" * (LONGEST + 1))
    deliver(b"b", MAY, "B02")
    deliver(b"b", JUNE, "B02")
    told: list[str] = []
    assert verify(engine, settings, report_progress=told.append) == Verification(files=2, faults=(), unnamed=())
    assert told == ["2019-05, file 1 of 1", "2019-06, file 1 of 2", "2019-06, file 2 of 2"]
    assert verify(engine, settings, MAY).files == 1
    shown = command("verify")
    assert (shown.exit_code, shown.output) == (0, "2 files on record, 2 of them whole in the archive\n")


def test_missing_altered_and_unreadable_files_are_named(
    engine: Engine, settings: Settings, deliver: Callable[..., str]
) -> None:
    whole, missing, flipped, cut, first, second, keyless = (
        deliver(str(number).encode(), code=f"B0{number}") for number in range(1, 8)
    )
    archived(settings, missing).unlink()
    content = bytearray(archived(settings, flipped).read_bytes())
    content[30] ^= 1
    archived(settings, flipped).write_bytes(content)
    archived(settings, cut).write_bytes(archived(settings, cut).read_bytes()[:50])
    exchanged = [archived(settings, sha256).read_bytes() for sha256 in (second, first)]
    for sha256, other in zip((first, second), exchanged, strict=True):
        archived(settings, sha256).write_bytes(other)
    archived(settings, keyless).unlink()
    Archive(settings.archive_address, [OTHER.encode()]).put(b"7")
    before = {path: path.read_bytes() for path in Path(settings.archive_address).rglob("*") if path.is_file()}

    verified = verify(engine, settings)
    assert verified.files == 7
    assert [(each.sha256, each.institution_code, each.condition) for each in verified.faults] == [
        (missing, "B02", Condition.MISSING),
        (flipped, "B03", Condition.ALTERED),
        (cut, "B04", Condition.ALTERED),
        (first, "B05", Condition.ALTERED),
        (second, "B06", Condition.ALTERED),
        (keyless, "B07", Condition.UNREADABLE),
    ]
    assert verified.faults[0] == Fault(Condition.MISSING, None, missing, "2019-06", "B02", 1, NAME)
    after = {path: path.read_bytes() for path in Path(settings.archive_address).rglob("*") if path.is_file()}
    assert after == before, "it only reads"

    shown = command("verify")
    assert shown.exit_code == 1
    for fault in verified.faults:
        (line,) = [line for line in shown.output.splitlines() if fault.sha256 in line]
        assert line.split()[0].rstrip(":") == fault.condition
        assert line.split()[-4:] == ["2019-06", fault.institution_code, "1", NAME]
    assert whole not in shown.output
    assert "unreadable: none of the keys opens it" in shown.output
    assert shown.output.splitlines()[-1] == "7 files on record, 1 of them whole in the archive"
    as_json = command("verify", "2019-06", "--json")
    assert as_json.exit_code == 1
    assert [each["sha256"] for each in json.loads(as_json.output)["faults"]] == [
        each.sha256 for each in verified.faults
    ]


def test_a_file_of_several_versions_is_read_once_and_named_for_each(
    engine: Engine, settings: Settings, deliver: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for period, code in ((MAY, "B01"), (JUNE, "B01"), (JUNE, "B02"), (JUNE, "B02")):
        sha256 = deliver(b"a", period, code)
    archived(settings, sha256).write_bytes(b"")
    looked: list[str] = []
    look = Archive.look

    def noted(self: Archive, sha256: str) -> Copy:
        looked.append(sha256)
        return look(self, sha256)

    monkeypatch.setattr(Archive, "look", noted)
    verified = verify(engine, settings)
    assert looked == [sha256]
    assert verified.files == 1
    assert [(each.period, each.institution_code, each.version) for each in verified.faults] == [
        ("2019-05", "B01", 1),
        ("2019-06", "B01", 1),
        ("2019-06", "B02", 1),
        ("2019-06", "B02", 2),
    ]


def test_a_month_is_verified_by_itself(engine: Engine, settings: Settings, deliver: Callable[..., str]) -> None:
    archived(settings, deliver(b"a", MAY)).unlink()
    deliver(b"b", JUNE)
    stray = Archive.of(settings).put(b"of no version")
    assert verify(engine, settings, JUNE) == Verification(1, (), ())
    assert command("verify", "2019-05").exit_code == 1
    assert command("verify", "2019-06").exit_code == 0
    with pytest.raises(UsageError, match="2019-07 is not open yet"):
        verify(engine, settings, JULY)
    assert verify(engine, settings).unnamed == (stray,)


def test_what_no_version_holds_is_a_remark(engine: Engine, settings: Settings, deliver: Callable[..., str]) -> None:
    deliver(b"a")
    strays = sorted(Archive.of(settings).put(content) for content in (b"b", b"c"))
    archived(settings, strays[0]).write_bytes(b"damaged")
    assert verify(engine, settings) == Verification(1, (), tuple(strays))
    shown = command("verify")
    assert shown.exit_code == 0
    assert "2 more in the archive that no version holds" in shown.output
    assert shown.output.splitlines()[-2:] == strays


def test_an_archive_that_is_gone_has_lost_every_file(
    engine: Engine, settings: Settings, deliver: Callable[..., str]
) -> None:
    names = [deliver(b"a"), deliver(b"b")]
    Path(settings.archive_address).rename(Path(settings.archive_address).with_name("elsewhere"))
    verified = verify(engine, settings)
    assert [(each.sha256, each.condition) for each in verified.faults] == [(name, "missing") for name in names]


def test_without_its_key_nothing_is_verified(engine: Engine, deliver: Callable[..., str]) -> None:
    deliver(b"a")
    assert_one_sentence(run("verify", ARCHIVE_KEY=""), 2, "ARCHIVE_KEY is not set")


# Renewal


def test_a_complete_renewal_lets_the_old_key_go(
    engine: Engine, settings: Settings, deliver: Callable[..., str]
) -> None:
    deliver(b"a" * (LONGEST + 1))
    deliver(b"b", MAY)
    stray = Archive.of(settings).put(b"of no version")
    both = with_keys(settings, OTHER, SECRET)
    renewal = renew(engine, both)
    assert renewal == Renewal(files=2, renewed=2, faults=(), unnamed=1)
    assert renewal.is_complete
    only_new = with_keys(settings, OTHER)
    assert verify(engine, only_new) == Verification(2, (), (stray,))
    assert Archive.of(only_new).get(stray) == b"of no version"
    assert renew(engine, both) == Renewal(files=2, renewed=0, faults=(), unnamed=1)


def test_no_key_can_go_while_a_file_of_the_ledger_is_not_read(
    engine: Engine, settings: Settings, deliver: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several tokens, the first of them good: once that was all that was looked at.
    altered, missing, good = deliver(b"a" * (LONGEST + 1)), deliver(b"b"), deliver(b"c")
    content = archived(settings, altered).read_bytes()
    archived(settings, altered).write_bytes(content[:-2000] + b"x" + content[-1999:])
    archived(settings, missing).unlink()
    renewal = renew(engine, with_keys(settings, OTHER, SECRET))
    assert (renewal.files, renewal.renewed, renewal.is_complete) == (3, 1, False)
    assert [(each.sha256, each.condition) for each in renewal.faults] == [(altered, "altered"), (missing, "missing")]
    assert Archive.of(with_keys(settings, OTHER)).get(good) == b"c"
    monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", f"{OTHER},{SECRET}")
    shown = command("archive", "renew")
    assert shown.exit_code == 1
    assert altered in shown.output
    assert missing in shown.output
    assert "keep every key" in shown.output
    printed = json.loads(command("archive", "renew", "--json").stdout)
    assert printed["is_complete"] is False
    assert len(printed["faults"]) == 2
    monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", OTHER)
    assert "ARCHIVE_KEY lacks a key that archived files may bear" in str(command("status", str(MAY)).exception)


def test_what_is_taken_in_meanwhile_is_renewed_too(
    engine: Engine, settings: Settings, deliver: Callable[..., str]
) -> None:
    """By a worker that was not yet started anew, and has the old key only."""
    deliver(b"a")
    late: list[str] = []

    def deliver_late(_: str) -> None:
        if not late:
            late.append(deliver(b"late", MAY))

    renewal = renew(engine, with_keys(settings, OTHER, SECRET), report_progress=deliver_late)
    assert (renewal.files, renewal.renewed, renewal.is_complete) == (2, 2, True)
    assert Archive.of(with_keys(settings, OTHER)).get(late[0]) == b"late"


def test_a_renewal_that_cannot_write_is_set_up_wrong(
    engine: Engine, settings: Settings, deliver: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = deliver(b"a")
    monkeypatch.setenv(PREFIX + "ARCHIVE_KEY", f"{OTHER},{SECRET}")

    def fail(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", fail)
    shown = command("archive", "renew")
    assert str(shown.exception) == "The archive cannot be written to: No space left on device."
    assert Archive.of(settings).get(sha256) == b"a"


# Archives elsewhere


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    running = SftpServer(tmp_path / "sftp")
    running.start()
    yield running
    running.close()


@pytest.fixture
def on_sftp(settings: Settings, server: SftpServer) -> Settings:
    address = f"sftp://127.0.0.1:{server.port}/archive"
    options = json.dumps(server.options())
    return Settings(_env_file=None, **{**settings.model_dump(), "archive": address, "archive_options": options})


@pytest.fixture
def on_s3(settings: Settings, s3: S3Server) -> Settings:
    elsewhere = {"archive": f"s3://{BUCKET}/archive", "archive_options": json.dumps(s3.options)}
    return Settings(_env_file=None, **{**settings.model_dump(), **elsewhere})


@pytest.mark.parametrize("store", ["on_sftp", "on_s3"])
def test_an_archive_elsewhere_is_kept_verified_mended_and_renewed(
    store: str, request: pytest.FixtureRequest, engine: Engine, deliver: Callable[..., str]
) -> None:
    elsewhere: Settings = request.getfixturevalue(store)
    archive = Archive.of(elsewhere)
    files = [DeliveredFile(NAME, content) for content in (b"a" * (LONGEST + 1), b"b", b"c")]
    for file in files:
        deliver(file.content)
        assert archive.keep(file) is Condition.MISSING
        assert archive.keep(file) is Condition.WHOLE
    assert verify(engine, elsewhere) == Verification(3, (), ())
    first, second, third = (archive._path(file.sha256) for file in files)
    content = archive._files.cat_file(first)
    archive._files.pipe_file(first, content[:-2000] + b"x" + content[-1999:])
    archive._files.pipe_file(second, archive._files.cat_file(third))
    archive._files.rm_file(third)
    found = [each.condition for each in verify(engine, elsewhere).faults]
    assert found == [Condition.ALTERED, Condition.ALTERED, Condition.MISSING]
    assert [archive.keep(file) for file in files] == found
    both = with_keys(elsewhere, OTHER, SECRET)
    assert renew(engine, both) == Renewal(files=3, renewed=3, faults=(), unnamed=0)
    assert verify(engine, with_keys(elsewhere, OTHER)) == Verification(3, (), ())


def test_by_sftp_the_server_is_asked_to_sync(on_sftp: Settings, server: SftpServer) -> None:
    archive = Archive.of(on_sftp)
    sha256 = archive.put(b"a")
    (draft,) = server.synced
    assert draft.startswith(f".{sha256}.")
    archive.put(b"a")
    assert server.synced == [draft, sha256]


def test_a_server_without_openssh_extensions_keeps_files_and_replaces_none(
    on_sftp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unsupported(*_: object) -> None:
        raise asyncssh.SFTPOpUnsupported("not offered")

    for name in ("fsync", "posix_rename"):
        monkeypatch.setattr(asyncssh.sftp.SFTPClientHandler, name, unsupported)
    archive = Archive.of(on_sftp)
    sha256 = archive.put(b"a")
    assert archive.get(sha256) == b"a"
    assert archive.put(b"a") == sha256


def test_a_lost_connection_is_no_missing_file(
    engine: Engine, on_sftp: Settings, server: SftpServer, deliver: Callable[..., str]
) -> None:
    sha256 = deliver(b"a" * 3 * LONGEST)
    Archive.of(on_sftp).put(b"a" * 3 * LONGEST)
    server.drop_after = LONGEST
    with pytest.raises(UnreachableError, match="does not answer"):
        verify(engine, on_sftp)
    assert verify(engine, on_sftp).faults == (), "the next one takes the connection up again"
    server.stop()
    with pytest.raises(UnreachableError, match="does not answer"):
        verify(engine, on_sftp)
    environment = {"ARCHIVE": str(on_sftp.archive), "ARCHIVE_OPTIONS": json.dumps(server.options())}
    result = run("verify", **environment)
    assert_one_sentence(result, 2, "does not answer")
    assert sha256 not in result.stderr
