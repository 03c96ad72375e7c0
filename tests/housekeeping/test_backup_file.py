"""The form of a backup: whatever is wrong with the file is found before anything is restored."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from five_precisions.errors import FivePrecisionsError, SetupError
from five_precisions.housekeeping import backup_file
from five_precisions.housekeeping.backup_file import (
    BackupError,
    BackupPart,
    Manifest,
    TableContent,
    compose_backup,
    cut_dump,
    open_backup,
    sha256_of,
)

SHA256 = "ab" * 32
DUMP = b"dump" * 1000
STORED = b"stored" * 300


def describe(parts: tuple[BackupPart, ...]) -> Manifest:
    return Manifest(
        made_at="2026-11-30T02:00:00+08:00",
        program="0.1.0",
        schema="0025",
        server="18.4",
        lost=0,
        tables=(TableContent("intake.file", 1, "17"),),
        parts=parts,
    )


def pieces() -> Iterator[tuple[str, bytes]]:
    yield from cut_dump([DUMP])
    yield f"archive/ab/{SHA256}", STORED


def composed() -> bytes:
    return b"".join(compose_backup(pieces(), describe))


def sealed(tar: bytes) -> bytes:
    return tar + b"sha256:" + hashlib.sha256(tar).hexdigest().encode() + b"\n"


def fault(content: bytes) -> str:
    """What is said of a file; "" where it is sound."""
    try:
        with open_backup(io.BytesIO(content), "FILE"):
            return ""
    except FivePrecisionsError as error:
        return str(error)


def test_what_was_saved_is_read_back() -> None:
    with open_backup(io.BytesIO(composed()), "FILE") as backup:
        [stored] = backup.archived
        assert sha256_of(stored) == SHA256
        assert b"".join(backup.read(stored)) == STORED
        assert b"".join(backup.dump()) == DUMP
        assert backup.manifest.tables == (TableContent("intake.file", 1, "17"),)


def test_a_dump_is_cut_into_pieces_and_put_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_file, "_PART_BYTES", 1000)
    parts = list(cut_dump([DUMP[:1500], DUMP[1500:1600], DUMP[1600:]]))
    assert [name for name, _ in parts] == [f"warehouse/{number:06d}" for number in range(4)]
    assert {len(content) for _, content in parts} == {1000}
    with open_backup(io.BytesIO(b"".join(compose_backup(iter(parts), describe))), "FILE") as backup:
        assert b"".join(backup.dump()) == DUMP
    assert list(cut_dump([])) == [("warehouse/000000", b"")]


def test_any_program_that_reads_tar_opens_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(composed())) as tar:
        assert tar.getnames() == ["warehouse/000000", f"archive/ab/{SHA256}", "manifest.json"]
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)["parts"][1]["sha256"] == hashlib.sha256(STORED).hexdigest()


def test_one_bit_changed_anywhere_is_found() -> None:
    sound = composed()
    assert fault(sound) == ""
    for place in [*range(0, len(sound), 97), *range(len(sound) - 80, len(sound))]:
        changed = bytearray(sound)
        changed[place] ^= 1
        assert fault(bytes(changed)).startswith("FILE is "), place


def test_a_file_that_is_cut_off_or_goes_on_is_found() -> None:
    sound = composed()
    for content in (b"", b"x", sound[:-1], sound[:-72], sound[: len(sound) // 2], sound + b"\n", sound + sound[-72:]):
        assert fault(content).startswith("FILE is "), len(content)


def test_a_file_that_is_no_backup_is_named_so() -> None:
    assert fault(b"PK\x03\x04" * 100) == "FILE is no backup of Five Precisions, or is cut off."
    assert fault(sealed(b"not a tar file" * 100)).startswith("FILE is ")
    assert fault(sealed(bytes(1024))) == "FILE is no backup of Five Precisions: it has no manifest."


def rewritten(change: Any) -> bytes:
    """A backup whose manifest says something else, under a seal that fits."""
    with tarfile.open(fileobj=io.BytesIO(composed())) as tar:
        contents = {}
        for member in tar.getmembers():
            file = tar.extractfile(member)
            assert file is not None
            contents[member.name] = file.read()
    manifest = json.loads(contents["manifest.json"])
    change(manifest, contents)
    contents["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return sealed(out.getvalue())


def test_a_part_that_is_not_what_the_manifest_says_is_found() -> None:
    assert fault(rewritten(lambda _manifest, _contents: None)) == ""

    def other_content(_: Any, contents: dict[str, bytes]) -> None:
        contents[f"archive/ab/{SHA256}"] = STORED[:-1] + b"x"

    def missing_part(_: Any, contents: dict[str, bytes]) -> None:
        del contents["warehouse/000000"]

    def part_more(_: Any, contents: dict[str, bytes]) -> None:
        contents["archive/ab/more"] = b""
        contents["manifest.json"] = contents.pop("manifest.json")

    def way_out(manifest: Any, contents: dict[str, bytes]) -> None:
        contents["../../etc/passwd"] = contents.pop(f"archive/ab/{SHA256}")
        contents["manifest.json"] = contents.pop("manifest.json")
        manifest["parts"][1]["name"] = "../../etc/passwd"

    def no_parts(manifest: Any, _: Any) -> None:
        del manifest["parts"]

    def nonsense(manifest: Any, _: Any) -> None:
        manifest["tables"] = [1]

    for change in (other_content, missing_part, part_more, way_out, no_parts, nonsense):
        assert "damaged" in fault(rewritten(change)), change


def test_a_newer_form_is_refused() -> None:
    def newer(manifest: Any, _: Any) -> None:
        manifest["format"] = backup_file.FORMAT + 1

    with (
        pytest.raises(SetupError, match=r"^FILE was made by a newer Five Precisions; use that one\.$"),
        open_backup(io.BytesIO(rewritten(newer)), "FILE"),
    ):
        pass


def test_a_part_that_changes_under_the_reader_is_found() -> None:
    content = bytearray(composed())
    file = io.BytesIO(content)
    with open_backup(file, "FILE") as backup:
        [stored] = backup.archived
        place = content.index(STORED)
        file.seek(place)
        file.write(b"x")
        with pytest.raises(BackupError, match="is not what the manifest says"):
            b"".join(backup.read(stored))
