"""The archive: encrypted, whole or not at all, and its key can change (spec/02, Sensitive columns; spec/03)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from five_precisions.errors import SetupError
from five_precisions.intake import archive as archive_module
from five_precisions.intake.archive import Archive, ArchiveError, Renewal
from five_precisions.intake.judging import ChangedWhileReadError, DeliveredFile, LargeFile
from five_precisions.storage import open_folder, write_into, write_whole

OLD, NEW = b"o" * 32, b"n" * 32
DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def stored(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def filled(folder: Path, count: int = 20) -> dict[str, bytes]:
    """An archive under the old key; SHA-256 → contents."""
    archive = Archive(str(folder), [OLD])
    contents = [f"file {number}".encode() * 100 for number in range(count)]
    return {archive.put(content): content for content in contents}


def test_a_changed_key_opens_old_files_and_closes_new_ones(folder: Path) -> None:
    (old_file,) = filled(folder, 1)
    both = Archive(str(folder), [NEW, OLD])
    new_file = both.put(b"new")
    assert both.get(old_file) == b"file 0" * 100
    assert Archive(str(folder), [NEW]).get(new_file) == b"new"
    with pytest.raises(ArchiveError, match="damaged, or its key is no longer set"):
        Archive(str(folder), [OLD]).get(new_file)
    with pytest.raises(ArchiveError, match="has no file"):
        both.get("0" * 64)


def test_renewal_puts_all_under_the_first_key_and_may_be_run_again(folder: Path) -> None:
    files = filled(folder)
    before = stored(folder)
    both = Archive(str(folder), [NEW, OLD])
    both.put(b"new")
    assert both.renew() == Renewal(files=21, renewed=20, unopened=())
    after = stored(folder)
    assert all(after[sha256] != before[sha256] for sha256 in files)
    only_new = Archive(str(folder), [NEW])
    assert {sha256: only_new.get(sha256) for sha256 in files} == files
    assert both.renew() == Renewal(files=21, renewed=0, unopened=())
    assert stored(folder) == after


def test_renewal_names_what_does_not_open_and_leaves_it(folder: Path) -> None:
    first, second, *_ = sorted(filled(folder))
    damaged = folder / first[:2] / first
    damaged.write_bytes(damaged.read_bytes()[:-9])
    # The contents of one file in the place of another.
    exchanged = folder / second[:2] / second
    other = Archive(str(folder), [OLD]).put(b"other")
    exchanged.write_bytes((folder / other[:2] / other).read_bytes())
    before = stored(folder)
    assert Archive(str(folder), [NEW, OLD]).renew() == Renewal(files=21, renewed=19, unopened=(first, second))
    assert {name: stored(folder)[name] for name in (first, second)} == {name: before[name] for name in (first, second)}


def test_renewal_killed_at_any_moment_is_finished_by_the_next(folder: Path) -> None:
    files = filled(folder, 200)
    program = (
        "from five_precisions.intake.archive import Archive\n"
        f"archive = Archive({str(folder)!r}, [{NEW!r}, {OLD!r}])\n"
        "print('ready', flush=True)\n"
        "archive.renew()\n"
    )
    for after in (0.02, 0.05):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
        both = Archive(str(folder), [NEW, OLD])
        assert {sha256: both.get(sha256) for sha256 in files} == files
    renewal = Archive(str(folder), [NEW, OLD]).renew()
    assert renewal.files == 200
    only_new = Archive(str(folder), [NEW])
    assert {sha256: only_new.get(sha256) for sha256 in files} == files


def test_two_renewals_at_once_and_a_delivery_do_no_harm(folder: Path) -> None:
    files = filled(folder, 60)
    threads = [threading.Thread(target=Archive(str(folder), [NEW, OLD]).renew) for _ in range(2)]
    for thread in threads:
        thread.start()
    added = Archive(str(folder), [NEW, OLD]).put(b"meanwhile")
    for thread in threads:
        thread.join()
    only_new = Archive(str(folder), [NEW])
    assert {sha256: only_new.get(sha256) for sha256 in files} == files
    assert only_new.get(added) == b"meanwhile"
    assert len(stored(folder)) == 61


def large(content: bytes, *, now: bytes | None = None) -> DeliveredFile:
    """A file that is read in pieces where it lies, where other bytes may lie by now."""
    piece, lying = 7, content if now is None else now
    own = DeliveredFile("loans.csv", content)
    pieces = [lying[at : at + piece] for at in range(0, len(lying), piece)]
    return DeliveredFile("loans.csv", content[:10], LargeFile(len(content), own.sha256, lambda: iter(pieces)))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 160])
def test_a_large_file_is_kept_in_chunks(size: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_CHUNK", 16)
    content = os.urandom(size)
    archive = Archive(str(folder), [OLD])
    sha256 = archive.keep(large(content))
    assert archive.get(sha256) == content
    assert len(stored(folder)[sha256].split(b"\n")) == max(1, -(-size // 16))
    assert Archive(str(folder), [NEW, OLD]).renew().renewed == 1
    assert b"".join(Archive(str(folder), [NEW]).read(sha256)) == content


def test_a_small_file_is_one_token_as_it_always_was(folder: Path) -> None:
    from cryptography.fernet import MultiFernet

    archive = Archive(str(folder), [OLD])
    sha256 = archive.put(b"text")
    assert MultiFernet([archive._first]).decrypt(stored(folder)[sha256]) == b"text"


def test_chunks_that_are_missing_or_in_another_order_are_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_CHUNK", 16)
    archive = Archive(str(folder), [OLD])
    sha256 = archive.keep(large(os.urandom(48)))
    path = folder / sha256[:2] / sha256
    lines = path.read_bytes().split(b"\n")
    for tokens in (lines[:-1], lines[::-1]):
        path.write_bytes(b"\n".join(tokens))
        with pytest.raises(ArchiveError, match="is damaged"):
            archive.get(sha256)


def test_a_large_file_that_has_changed_is_not_kept(folder: Path) -> None:
    archive = Archive(str(folder), [OLD])
    with pytest.raises(ChangedWhileReadError):
        archive.keep(large(b"a" * 100, now=b"b" * 100))
    assert stored(folder) == {}


def test_an_archive_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError, match=r"^The archive cannot be written to: Not a directory\.$"):
        Archive(str(tmp_path / "file"), [OLD]).put(b"x")


def test_drafts_that_were_left_behind_are_cleared_and_hidden_till_then(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    old = outbox / f".receipt-v1.html.{'a' * 32}.part"
    before_this_version = outbox / f"receipt-v1.html.{'b' * 32}.part"
    in_use = outbox / f".receipt-v2.html.{'c' * 32}.part"
    own = outbox / "my.part"
    for path in (old, before_this_version, in_use, own):
        path.write_bytes(b"half")
    for path in (old, before_this_version, own):
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    write_into("outbox", str(outbox), {"receipt-v3.html": b"whole"})
    assert sorted(path.name for path in outbox.iterdir()) == [in_use.name, "my.part", "receipt-v3.html"]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    files, root = open_folder("outbox", str(tmp_path))

    def broken() -> object:
        yield b"first"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        write_whole(files, f"{root}/receipt-v1.html", broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
