"""The archive: encrypted, whole or not at all, and its key can change.

See docs/reports.md#sensitive-columns; docs/intake.md.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileOpener, LocalFileSystem

from five_precisions.errors import UnreachableError
from five_precisions.intake import archive as archive_module
from five_precisions.intake.archive import Archive, ArchiveError, Condition, Copy, NotArchivedError
from five_precisions.intake.package import ChangedWhileReadError, DeliveredFile, LargeFile
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


def renew_all(archive: Archive) -> list[Copy]:
    """What each file was before it was renewed."""
    return [archive.renew(sha256) for stored in archive.stored() for sha256 in stored]


def test_a_changed_key_opens_old_files_and_closes_new_ones(folder: Path) -> None:
    (old_file,) = filled(folder, 1)
    both = Archive(str(folder), [NEW, OLD])
    new_file = both.put(b"new")
    assert both.get(old_file) == b"file 0" * 100
    assert Archive(str(folder), [NEW]).get(new_file) == b"new"
    with pytest.raises(ArchiveError, match=r"cannot be read: none of the keys opens it\.$"):
        Archive(str(folder), [OLD]).get(new_file)
    with pytest.raises(ArchiveError, match="has no file"):
        both.get("0" * 64)


def test_renewal_puts_all_under_the_first_key_and_may_be_run_again(folder: Path) -> None:
    files = filled(folder)
    before = stored(folder)
    both = Archive(str(folder), [NEW, OLD])
    both.put(b"new")
    assert sorted(copy.bears_first_key for copy in renew_all(both)) == [False] * 20 + [True]
    after = stored(folder)
    assert all(after[sha256] != before[sha256] for sha256 in files)
    only_new = Archive(str(folder), [NEW])
    assert {sha256: only_new.get(sha256) for sha256 in files} == files
    assert renew_all(both) == [Copy(Condition.WHOLE, bears_first_key=True)] * 21
    assert stored(folder) == after


def test_renewal_reads_every_token_and_not_the_first_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_CHUNK", 16)
    sha256 = Archive(str(folder), [NEW]).put(b"a" * 40)
    other = Archive(str(folder / "other"), [OLD])
    other.put(b"a" * 40)
    path = folder / sha256[:2] / sha256
    new, old = (each.read_bytes().split(b"\n") for each in (path, folder / "other" / sha256[:2] / sha256))
    path.write_bytes(b"\n".join([new[0], *old[1:3]]))
    both = Archive(str(folder), [NEW, OLD])
    assert both.renew(sha256) == Copy(Condition.WHOLE)
    assert Archive(str(folder), [NEW]).get(sha256) == b"a" * 40
    # Its first token bears the first key, and the last is gone.
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:2]))
    assert both.renew(sha256) == Copy(Condition.ALTERED)


def test_renewal_leaves_what_is_not_whole(folder: Path) -> None:
    first, second, *_ = sorted(filled(folder))
    damaged = folder / first[:2] / first
    damaged.write_bytes(damaged.read_bytes()[:-9])
    # The contents of one file in the place of another.
    exchanged = folder / second[:2] / second
    other = Archive(str(folder), [OLD]).put(b"other")
    exchanged.write_bytes((folder / other[:2] / other).read_bytes())
    before = stored(folder)
    both = Archive(str(folder), [NEW, OLD])
    renew_all(both)
    assert both.look(first).condition is both.look(second).condition is Condition.ALTERED
    after = stored(folder)
    assert [name for name in before if after[name] == before[name]] == sorted([first, second], key=list(before).index)


@pytest.mark.integration
def test_renewal_killed_at_any_moment_is_finished_by_the_next(folder: Path) -> None:
    files = filled(folder, 200)
    program = (
        "from five_precisions.intake.archive import Archive\n"
        f"archive = Archive({str(folder)!r}, [{NEW!r}, {OLD!r}])\n"
        "print('ready', flush=True)\n"
        "for stored in archive.stored():\n"
        "    for sha256 in stored:\n"
        "        archive.renew(sha256)\n"
    )
    for after in (0.02, 0.05):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
        both = Archive(str(folder), [NEW, OLD])
        assert {sha256: both.get(sha256) for sha256 in files} == files
    assert len(renew_all(Archive(str(folder), [NEW, OLD]))) == 200
    only_new = Archive(str(folder), [NEW])
    assert {sha256: only_new.get(sha256) for sha256 in files} == files


def test_two_renewals_at_once_and_a_delivery_do_no_harm(folder: Path) -> None:
    files = filled(folder, 60)
    threads = [threading.Thread(target=renew_all, args=(Archive(str(folder), [NEW, OLD]),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    added = Archive(str(folder), [NEW, OLD]).put(b"meanwhile")
    for thread in threads:
        thread.join()
    only_new = Archive(str(folder), [NEW])
    assert {sha256: only_new.get(sha256) for sha256 in files} == files
    assert only_new.get(added) == b"meanwhile"
    assert len(stored(folder)) == 61


@pytest.mark.parametrize("failing", ["the move", "the write"])
def test_a_renewal_that_fails_leaves_the_copy_that_is_good(
    failing: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (sha256,) = filled(folder, 1)
    before = stored(folder)
    both = Archive(str(folder), [NEW, OLD])
    if failing == "the move":
        # The system's own, by whatever way it is called: what copies instead would empty the file first.
        for owner, name in ((os, "rename"), (os, "replace"), (Path, "replace")):
            monkeypatch.setattr(owner, name, fail)
        sentence = "cannot be written to: No space left on device"
    else:
        monkeypatch.setattr(archive_module, "_sealed", lambda tokens: [b"".join(tokens)[:-1]])
        sentence = "does not give back what was written to it"
    with pytest.raises(NotArchivedError, match=sentence):
        both.renew(sha256)
    assert stored(folder) == before


# What an archived file is worth

DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "shortened by a byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "twice": lambda path: path.write_bytes(path.read_bytes() * 2),
    "something else": lambda path: path.write_bytes(b"something else"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_told_and_written_anew(damage: str, folder: Path) -> None:
    (sha256,) = filled(folder, 1)
    archive = Archive(str(folder), [NEW, OLD])
    DAMAGES[damage](folder / sha256[:2] / sha256)
    condition = Condition.MISSING if damage == "removed" else Condition.ALTERED
    assert archive.look(sha256) == Copy(condition)
    with pytest.raises(ArchiveError):
        archive.get(sha256)
    assert archive.keep(DeliveredFile("a.csv", b"file 0" * 100)) is condition
    assert archive.look(sha256) == Copy(Condition.WHOLE, bears_first_key=True)


def test_a_byte_that_is_another_one_is_noticed_wherever_it_stands(folder: Path) -> None:
    (sha256,) = filled(folder, 1)
    archive = Archive(str(folder), [OLD])
    path = folder / sha256[:2] / sha256
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert archive.look(sha256) == Copy(Condition.ALTERED), position


def test_two_files_in_each_others_place_are_altered(folder: Path) -> None:
    first, second = filled(folder, 2)
    paths = [folder / sha256[:2] / sha256 for sha256 in (first, second)]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)
    archive = Archive(str(folder), [OLD])
    assert [archive.look(sha256).condition for sha256 in (first, second)] == [Condition.ALTERED] * 2


def test_a_file_without_its_key_is_unreadable_and_not_altered(folder: Path) -> None:
    (sha256,) = filled(folder, 1)
    stranger = Archive(str(folder), [NEW])
    assert stranger.look(sha256) == Copy(Condition.UNREADABLE, "none of the keys opens it")
    path = folder / sha256[:2] / sha256
    path.write_bytes(path.read_bytes()[:-70] + b"0" + path.read_bytes()[-69:])
    assert stranger.look(sha256) == Copy(Condition.ALTERED)
    path.unlink()
    path.mkdir()
    assert stranger.look(sha256) == Copy(Condition.UNREADABLE, "Is a directory")


def test_a_file_of_before_is_one_token_and_read_all_the_same(folder: Path) -> None:
    (sha256,) = filled(folder, 1)
    path = folder / sha256[:2] / sha256
    token, _ = path.read_bytes().split(b"\n")
    path.write_bytes(token)
    archive = Archive(str(folder), [OLD])
    assert archive.look(sha256) == Copy(Condition.WHOLE, bears_first_key=True)
    assert archive.get(sha256) == b"file 0" * 100
    # Nothing but the key tells these two apart.
    doubt = Copy(Condition.UNREADABLE, "none of the keys opens it, or it is altered")
    assert Archive(str(folder), [NEW]).look(sha256) == doubt
    path.write_bytes(token[:100] + (b"B" if token[100:101] == b"A" else b"A") + token[101:])
    assert archive.look(sha256) == doubt
    path.write_bytes(token[:-9])
    assert archive.look(sha256) == Copy(Condition.ALTERED)


def test_what_has_no_end_is_not_read_to_its_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (sha256,) = filled(folder, 1)
    monkeypatch.setattr(archive_module, "_CHUNK", 100)
    monkeypatch.setattr(archive_module, "_LONGEST_LINE", 2_000)
    archive = Archive(str(folder), [OLD])
    assert archive.look(sha256).condition is Condition.WHOLE
    (folder / sha256[:2] / sha256).write_bytes(b"A" * 1_000_000)
    read: list[int] = []
    opener = LocalFileOpener.read

    def counted(self: LocalFileOpener, size: int) -> bytes:
        content: bytes = opener(self, size)
        read.append(len(content))
        return content

    monkeypatch.setattr(LocalFileOpener, "read", counted)
    assert archive.look(sha256) == Copy(Condition.ALTERED)
    assert 2_000 < sum(read) < 3_000


def test_a_bad_place_on_the_disk_is_one_file_and_a_lost_disk_is_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sha256,) = filled(folder, 1)
    archive = Archive(str(folder), [OLD])

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(LocalFileOpener, "read", fail)
    assert archive.look(sha256) == Copy(Condition.UNREADABLE, "the disk fails there")
    monkeypatch.setattr(LocalFileSystem, "ls", fail)
    with pytest.raises(UnreachableError, match="does not answer"):
        archive.look(sha256)


# On the disk


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files and folders that were synced, and `moved`, in the order of time."""
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(opened: int) -> None:
        fsync(opened)
        events.append(Path(f"/proc/self/fd/{opened}").readlink().name)

    def noted_replace(self: Path, target: str) -> Path:
        events.append("moved")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    return events


def test_what_is_kept_is_on_the_disk_with_its_folders(tmp_path: Path, synced: list[str]) -> None:
    sha256 = Archive(str(tmp_path / "new" / "archive"), [OLD]).put(b"text")
    shard = sha256[:2]
    draft = synced.pop(synced.index("moved") - 1)
    assert draft.startswith(f".{sha256}.")
    # Each new folder's name is on the disk before anything lies in it, and the file before it takes its place.
    assert synced == [tmp_path.name, "new", "archive", "moved", shard]


def test_what_another_has_kept_is_synced_too(folder: Path, synced: list[str]) -> None:
    """Whoever wrote it may have been killed before it was on the disk."""
    (sha256,) = filled(folder, 1)
    synced.clear()
    before = stored(folder)
    assert Archive(str(folder), [OLD]).keep(DeliveredFile("a.csv", b"file 0" * 100)) is Condition.WHOLE
    assert synced == [sha256, sha256[:2], "archive"]
    assert stored(folder) == before


def test_a_file_system_that_does_not_sync_folders_is_good_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def no_folders(opened: int) -> None:
        if Path(f"/proc/self/fd/{opened}").is_dir():
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(opened)

    monkeypatch.setattr(os, "fsync", no_folders)
    archive = Archive(str(folder), [OLD])
    assert archive.get(archive.put(b"text")) == b"text"


def test_a_disk_that_cannot_sync_has_kept_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    folder.mkdir()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotArchivedError, match=r"^The archive cannot be written to: Disk quota exceeded\.$"):
        Archive(str(folder), [OLD]).put(b"text")
    assert stored(folder) == {}


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
    file = large(content)
    sha256 = file.sha256
    assert archive.keep(file) is Condition.MISSING
    assert archive.get(sha256) == content
    assert len(stored(folder)[sha256].split(b"\n")) == max(1, -(-size // 16)) + 1
    assert Archive(str(folder), [NEW, OLD]).renew(sha256) == Copy(Condition.WHOLE)
    assert b"".join(Archive(str(folder), [NEW]).read(sha256)) == content


def test_chunks_that_are_missing_or_in_another_order_are_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_CHUNK", 16)
    archive = Archive(str(folder), [OLD])
    sha256 = archive.put(os.urandom(48))
    path = folder / sha256[:2] / sha256
    lines = path.read_bytes().split(b"\n")
    seal = lines[-1]
    assert len(lines) == 4
    for tokens in (lines[:-2], lines[-2::-1], [*lines[:-2], seal], lines[::-1], [*lines, seal]):
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
    with pytest.raises(NotArchivedError, match=r"^The archive cannot be written to: Not a directory\.$"):
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
