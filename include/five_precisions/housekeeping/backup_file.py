"""The form of a backup: one tar file with its parts, a manifest, and last the SHA-256 of all that stands before.

See docs/operations.md#what-a-backup-is. By its last line damage and a cut are found without any key, wherever they are.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Any, Final

from five_precisions.errors import FivePrecisionsError, SetupError

FORMAT: Final = 1
"""Of the file; a program that makes another one counts on."""
DUMP_FOLDER: Final = "warehouse/"
ARCHIVE_FOLDER: Final = "archive/"
_MANIFEST: Final = "manifest.json"
_SEAL = re.compile(rb"sha256:([0-9a-f]{64})\n")
_SEAL_BYTES: Final = 72
_CHUNK: Final = 2**20
_PART_BYTES: Final = 16 * 2**20
"""Of a piece of the dump: its length stands before it in the tar file, so a piece is held in memory."""
_DUMP_PART = re.compile(r"warehouse/[0-9]{6}")
_ARCHIVE_PART = re.compile(r"archive/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_MOST_MANIFEST_BYTES: Final = 512 * 2**20


class BackupError(FivePrecisionsError):
    """A backup is damaged, is no backup, or does not give back what was saved."""


@dataclass(frozen=True, slots=True)
class BackupPart:
    """A part of a backup: a piece of the dump, or an archived file as it is stored."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TableContent:
    """What a table held when it was saved."""

    table_name: str
    rows: int
    digest: str
    """Over its rows, whatever their order."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds, and of which program and moment it is."""

    made_at: str
    """With offset, by the database's clock."""
    program: str
    """Version of the program."""
    schema: str
    """Revision of the warehouse's schema."""
    server: str
    """Version of PostgreSQL."""
    lost: int
    """Files that the delivery record names and the archive did not give out."""
    tables: tuple[TableContent, ...]
    parts: tuple[BackupPart, ...]


def compose_backup(pieces: Iterable[tuple[str, bytes]], describe: Any) -> Iterator[bytes]:
    """The bytes of a backup, piece by piece.

    Args:
        pieces: Name and content of each part, in their order.
        describe: Called with the parts when all have come; gives the manifest.
    """
    sealed = hashlib.sha256()
    parts: list[BackupPart] = []

    def members() -> Iterator[tuple[str, bytes]]:
        for name, content in pieces:
            parts.append(BackupPart(name, len(content), hashlib.sha256(content).hexdigest()))
            yield name, content
        manifest: Manifest = describe(tuple(parts))
        yield _MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()

    for name, content in members():
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        for block in (member.tobuf(tarfile.PAX_FORMAT), content, bytes(-len(content) % tarfile.BLOCKSIZE)):
            sealed.update(block)
            yield block
    end = bytes(2 * tarfile.BLOCKSIZE)
    sealed.update(end)
    yield end
    yield b"sha256:" + sealed.hexdigest().encode() + b"\n"


def cut_dump(dump: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """A dump as parts of a backup."""
    held = bytearray()
    number = 0
    for chunk in dump:
        held += chunk
        while len(held) >= _PART_BYTES:
            yield f"{DUMP_FOLDER}{number:06d}", bytes(held[:_PART_BYTES])
            del held[:_PART_BYTES]
            number += 1
    if held or not number:
        yield f"{DUMP_FOLDER}{number:06d}", bytes(held)


class BackupFile:
    """A backup that was read whole, and found to be as it was written."""

    def __init__(self, file: IO[bytes], tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._file = file
        self._members = {member.name: member for member in tar.getmembers()}
        self.manifest = manifest

    @property
    def archived(self) -> tuple[BackupPart, ...]:
        """The parts that are archived files."""
        return tuple(part for part in self.manifest.parts if part.name.startswith(ARCHIVE_FOLDER))

    def dump(self) -> Iterator[bytes]:
        """The dump of the database, piece by piece."""
        for part in self.manifest.parts:
            if part.name.startswith(DUMP_FOLDER):
                yield from self.read(part)

    def read(self, part: BackupPart) -> Iterator[bytes]:
        """A part, piece by piece; when the last has come, its digest was right.

        Raises:
            BackupError: it is another one than the manifest names.
        """
        self._file.seek(self._members[part.name].offset_data)
        left, found = part.size, hashlib.sha256()
        while left and (chunk := self._file.read(min(left, _CHUNK))):
            found.update(chunk)
            left -= len(chunk)
            yield chunk
        if found.hexdigest() != part.sha256:
            raise BackupError(f"The backup is damaged: {part.name} is not what the manifest says.")


@contextmanager
def open_backup(file: IO[bytes], name: str) -> Iterator[BackupFile]:
    """Read a backup whole, and hold it against its seal and every part against the manifest.

    Args:
        file: It, opened; it can be sought in.
        name: What it is called, for the sentence.

    Raises:
        BackupError: it is no backup, is cut off, or is damaged.
        SetupError: a newer program has made it.
    """
    _require_seal(file, name)
    file.seek(0)
    damaged = f"{name} is damaged: what it holds is not what its manifest says."
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            members = tar.getmembers()
            manifest = _read_manifest(tar, members, name)
            named = [part.name for part in manifest.parts]
            sizes = {part.name: part.size for part in manifest.parts}
            there = [(member.name, member.size) for member in members[:-1] if member.isreg()]
            if there != [(part, sizes[part]) for part in named] or len(there) != len(members) - 1:
                raise BackupError(damaged)
            if len(set(named)) != len(named) or not all(map(_is_part, named)):
                raise BackupError(damaged)
            backup = BackupFile(file, tar, manifest)
            for part in manifest.parts:
                for _ in backup.read(part):
                    pass
            yield backup
    except tarfile.TarError:
        raise BackupError(damaged) from None


def sha256_of(part: BackupPart) -> str:
    """The name that an archived file has in the archive."""
    return part.name.rpartition("/")[2]


def _is_part(name: str) -> bool:
    return bool(_DUMP_PART.fullmatch(name) or _ARCHIVE_PART.fullmatch(name))


def _require_seal(file: IO[bytes], name: str) -> None:
    length = file.seek(0, io.SEEK_END)
    file.seek(max(0, length - _SEAL_BYTES))
    seal = _SEAL.fullmatch(file.read())
    if seal is None:
        raise BackupError(f"{name} is no backup of Five Precisions, or is cut off.")
    file.seek(0)
    left, found = length - _SEAL_BYTES, hashlib.sha256()
    while left and (chunk := file.read(min(left, _CHUNK))):
        found.update(chunk)
        left -= len(chunk)
    if left or found.hexdigest() != seal[1].decode():
        raise BackupError(f"{name} is damaged: it is not what was written.")


def _read_manifest(tar: tarfile.TarFile, members: list[tarfile.TarInfo], name: str) -> Manifest:
    last = members[-1] if members else None
    content = tar.extractfile(last) if last and last.name == _MANIFEST and last.size < _MOST_MANIFEST_BYTES else None
    if content is None:
        raise BackupError(f"{name} is no backup of Five Precisions: it has no manifest.")
    try:
        said = json.loads(content.read())
        if said.pop("format") != FORMAT:
            raise SetupError(f"{name} was made by a newer Five Precisions; use that one.")
        said["tables"] = tuple(TableContent(**each) for each in said["tables"])
        said["parts"] = tuple(BackupPart(**each) for each in said["parts"])
        return Manifest(**said)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BackupError(f"{name} is damaged: its manifest cannot be read.") from None
