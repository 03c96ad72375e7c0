"""The archive: delivered files, content-addressed, encrypted at rest.

See docs/reports.md#sensitive-columns; docs/intake.md.

An archived file is lines: tokens of its chunks, each encrypted, and last the SHA-256 of what stands above. By that line
damage differs from a key that is missing. Files of before there was one are read all the same.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from five_precisions.errors import FivePrecisionsError, SetupError, UnreachableError
from five_precisions.intake.package import ChangedWhileReadError, DeliveredFile
from five_precisions.settings import Settings
from five_precisions.storage import (
    Store,
    open_folder,
    reaching,
    shown_address,
    store_of,
    sync_file,
    write_whole,
)

_PURPOSE: Final = b"five-precisions archive"
_CHUNK: Final = 8 * 1024**2
"""Bytes encrypted at a time. A longer file is several tokens, one a line."""
_LONGEST_LINE: Final = 128 * 1024**2
"""No token is as long, also of those that once held a whole file: what has no end by then was never written by us."""
_SEAL = re.compile(rb"sha256:([0-9a-f]{64})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")


class ArchiveError(FivePrecisionsError):
    """An archived file is not there, is not what was written, or cannot be read."""


class NotArchivedError(SetupError):
    """A file could not be archived: the archive cannot be written to, or does not give back what was written."""


class Condition(StrEnum):
    """What an archived file is worth."""

    WHOLE = "whole"
    """It decrypts to the SHA-256 that it is named by."""
    MISSING = "missing"
    ALTERED = "altered"
    """It is not what was written there, or holds another file."""
    UNREADABLE = "unreadable"
    """None of the keys opens it, or the store does not give it out."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An archived file, as it was found by reading all of it."""

    condition: Condition
    reason: str | None = None
    """Why it is unreadable."""
    bears_first_key: bool = False
    """Whether the first of the keys opens all of it."""


_MISSING: Final = Copy(Condition.MISSING)
_ALTERED: Final = Copy(Condition.ALTERED)


class Archive:
    """Files by their SHA-256, each encrypted; what is whole is never written again, but for a change of the key."""

    def __init__(self, address: str, keys: Sequence[bytes], options: Mapping[str, Any] | None = None) -> None:
        self._place = f"archive {shown_address(address)}"
        self._files, self._root = open_folder("archive", address, options)
        self._is_local = store_of(address) is Store.LOCAL
        self._ciphers = _ciphers(keys)

    @classmethod
    def as_stored(cls, settings: Settings) -> Archive:
        """The archive that the settings name, without its keys: to copy files from and to, as they are stored.

        Raises:
            SetupError: its address cannot be used.
        """
        return cls(settings.archive_address, [], settings.storage_options("archive"))

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """The archive that the settings name.

        Raises:
            SetupError: its key is missing or too short, or its address cannot be used.
        """
        keys = settings.require_archive_keys()
        return cls(settings.archive_address, keys, settings.storage_options("archive"))

    def put(self, content: bytes) -> str:
        """Keep a file; its SHA-256. As `keep`.

        Raises:
            NotArchivedError: the archive cannot be written to.
            UnreachableError: it does not answer.
        """
        file = DeliveredFile("", content)
        self.keep(file)
        return file.sha256

    def keep(self, file: DeliveredFile) -> Condition:
        """Make sure of a delivered file: its copy is there, on the disk, was read whole and decrypts to its SHA-256.

        A copy that is not whole is written anew. A large file is never held but for some chunks of it.

        Returns:
            What the copy was before.

        Raises:
            NotArchivedError: the archive cannot be written to, or does not give back what was written.
            UnreachableError: it does not answer, or the store that a large file is read from.
            ChangedWhileReadError: a large file is no longer the one whose hash was taken; nothing is kept.
        """
        found = self.look(file.sha256)
        if found.condition is Condition.WHOLE:
            with self._writing():
                sync_file(self._files, self._path(file.sha256), self._root)
        else:
            self._write(file.sha256, file.chunks())
        return found.condition

    def get(self, sha256: str) -> bytes:
        """The file of that SHA-256.

        Raises:
            ArchiveError: it is not there, damaged, or cannot be read.
        """
        return b"".join(self.read(sha256))

    def read(self, sha256: str) -> Iterator[bytes]:
        """The file of that SHA-256, chunk by chunk: only when the last has come, it is sure that all are right.

        Raises:
            ArchiveError: it is not there, damaged, or cannot be read.
        """
        copy = yield from self._opened(self._path(sha256), sha256)
        match copy.condition:
            case Condition.MISSING:
                raise ArchiveError(f"The archive has no file {sha256}.")
            case Condition.ALTERED:
                raise ArchiveError(f"The archived file {sha256} is damaged.")
            case Condition.UNREADABLE:
                raise ArchiveError(f"The archived file {sha256} cannot be read: {copy.reason}.")

    def look(self, sha256: str) -> Copy:
        """Read the whole file of that SHA-256, and say what it is worth.

        Raises:
            UnreachableError: the archive does not answer.
        """
        return self._look(self._path(sha256), sha256)

    def renew(self, sha256: str) -> Copy:
        """Encrypt a file with the first key, unless it bears it already; what it was before, read whole.

        It may be ended at any point and run again, by two at once as well: the file is replaced, in one step, by one
        that was read back. One that is not whole stays as it is.

        Raises:
            NotArchivedError: the archive cannot be written to, or does not give back what was written.
            UnreachableError: it does not answer.
        """
        found = self.look(sha256)
        if found.condition is Condition.WHOLE and not found.bears_first_key:
            try:
                self._write(sha256, self.read(sha256))
            except ArchiveError:
                # It has become another since.
                return self.look(sha256)
        return found

    def stored(self) -> Iterator[list[str]]:
        """The SHA-256 of the files that are there, some at a time.

        Raises:
            UnreachableError: the archive does not answer.
        """
        for shard in self._names(self._root, "directory", _SHARD):
            yield self._names(f"{self._root}/{shard}", "file", _SHA256)

    def read_stored(self, sha256: str) -> bytes | None:
        """The file of that SHA-256 as it is stored, encrypted; None where it is not there. No key is needed.

        Raises:
            ArchiveError: the store does not give it out.
            UnreachableError: the archive does not answer.
        """
        try:
            with reaching(self._place, self._files):
                self._files.invalidate_cache()
                return bytes(self._files.cat_file(self._path(sha256)))
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ArchiveError(f"The archived file {sha256} cannot be read: {reason}.") from error

    def write_stored(self, sha256: str, stored: bytes) -> None:
        """Lay a file of that SHA-256 into the archive as it was stored once: whole, on the disk, and read back.

        Raises:
            NotArchivedError: the archive cannot be written to, or does not give back what was written.
            UnreachableError: it does not answer.
        """

        def prove(draft: str) -> None:
            if self._files.cat_file(draft) != stored:
                raise NotArchivedError("The archive does not give back what was written to it.")

        with self._writing():
            write_whole(self._files, self._path(sha256), stored, on_disk=True, prove=prove)

    def remove(self, sha256: str) -> bool:
        """Take a file out of the archive for good; whether it was there.

        Raises:
            NotArchivedError: the archive cannot be written to.
            UnreachableError: it does not answer.
        """
        with self._writing():
            try:
                self._files.rm_file(self._path(sha256))
            except FileNotFoundError:
                return False
        return True

    def _write(self, sha256: str, chunks: Iterable[bytes]) -> None:
        def prove(draft: str) -> None:
            copy = self._look(draft, sha256)
            if copy.condition is not Condition.WHOLE or not copy.bears_first_key:
                raise NotArchivedError("The archive does not give back what was written to it.")

        with self._writing():
            lines = _sealed(self._tokens(chunks, sha256))
            write_whole(self._files, self._path(sha256), lines, on_disk=True, prove=prove)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with reaching(self._place, self._files):
                yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise NotArchivedError(f"The archive cannot be written to: {reason}.") from error

    def _tokens(self, chunks: Iterable[bytes], sha256: str) -> Iterator[bytes]:
        """The tokens of a file; before the last is given out, the whole is held against its hash."""
        found = hashlib.sha256()
        waiting: bytes | None = None
        for chunk in _regrouped(chunks):
            found.update(chunk)
            if waiting is not None:
                yield self._ciphers[0].encrypt(waiting)
            waiting = chunk
        if found.hexdigest() != sha256:
            raise ChangedWhileReadError("A file changed while it was read.")
        yield self._ciphers[0].encrypt(waiting or b"")

    def _look(self, path: str, sha256: str) -> Copy:
        chunks = self._opened(path, sha256)
        while True:
            try:
                next(chunks)
            except StopIteration as end:
                copy: Copy = end.value
                return copy

    def _opened(self, path: str, sha256: str) -> Generator[bytes, None, Copy]:
        """The chunks of an archived file, as far as they open, and in the end what it is worth."""
        try:
            with closing(self._lines(path)) as lines:
                return (yield from self._decrypted(lines, sha256))
        except FileNotFoundError:
            return _MISSING
        except OSError as error:
            return Copy(Condition.UNREADABLE, error.strerror or type(error).__name__)
        except UnreachableError as error:
            if not self._is_bad_block(error.__cause__):
                raise
            return Copy(Condition.UNREADABLE, "the disk fails there")

    def _decrypted(self, lines: Iterable[bytes], sha256: str) -> Generator[bytes, None, Copy]:
        content, written = hashlib.sha256(), hashlib.sha256()
        seal: str | None = None
        positions: set[int | None] = set()
        for line in lines:
            if seal is not None or len(line) > _LONGEST_LINE:
                return _ALTERED
            if match := _SEAL.fullmatch(line):
                seal = match[1].decode()
                continue
            if positions:
                written.update(b"\n")
            written.update(line)
            # Fernet itself passes over what is no base64, and over what follows the end of it.
            if not _is_token(line):
                return _ALTERED
            position, chunk = self._decrypt(line)
            positions.add(position)
            if chunk is not None:
                content.update(chunk)
                yield chunk
        if seal is not None and seal != written.hexdigest():
            return _ALTERED
        if positions == {None}:
            doubt = "" if seal else ", or it is altered"
            return Copy(Condition.UNREADABLE, f"none of the keys opens it{doubt}")
        if None in positions or content.hexdigest() != sha256:
            return _ALTERED
        return Copy(Condition.WHOLE, bears_first_key=positions == {0})

    def _decrypt(self, token: bytes) -> tuple[int, bytes] | tuple[None, None]:
        """What a token holds, and the position of the key that opens it."""
        from cryptography.fernet import InvalidToken

        for position, cipher in enumerate(self._ciphers):
            try:
                return position, cipher.decrypt(token)
            except InvalidToken:
                continue
        return None, None

    def _lines(self, path: str) -> Generator[bytes]:
        """The lines of a file; of one without end its beginning."""
        with reaching(self._place, self._files):
            self._files.invalidate_cache()
            with self._files.open(path, "rb") as file:
                line = bytearray()
                while len(line) <= _LONGEST_LINE and (block := file.read(_CHUNK)):
                    begun, *others = block.split(b"\n")
                    line += begun
                    for other in others:
                        yield bytes(line)
                        line = bytearray(other)
                yield bytes(line)

    def _is_bad_block(self, error: BaseException | None) -> bool:
        """Whether one file's place on the disk fails: the machine has no other word for a whole disk that is gone."""
        if not self._is_local or not isinstance(error, OSError) or error.errno != errno.EIO:
            return False
        try:
            self._files.ls(self._root)
        except OSError:
            return False
        return True

    def _names(self, folder: str, kind: str, form: re.Pattern[str]) -> list[str]:
        try:
            with reaching(self._place, self._files):
                self._files.invalidate_cache()
                entries = self._files.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        names = (str(entry["name"]).rstrip("/").rpartition("/")[2] for entry in entries if entry["type"] == kind)
        return sorted(name for name in names if form.fullmatch(name))

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"


def _regrouped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of one size, but for the last; of no bytes no chunk."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= _CHUNK:
            yield bytes(held[:_CHUNK])
            del held[:_CHUNK]
    if held:
        yield bytes(held)


def _sealed(tokens: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of an archived file."""
    written = hashlib.sha256()
    separator = b""
    for token in tokens:
        for piece in (separator, token):
            written.update(piece)
            yield piece
        separator = b"\n"
    yield b"\nsha256:" + written.hexdigest().encode()


def _is_token(line: bytes) -> bool:
    """Whether a line has the form of a Fernet token, which shows without a key: version, time, vector, blocks, HMAC."""
    try:
        token = base64.b64decode(line, altchars=b"-_", validate=True)
    except binascii.Error:
        return False
    return token[:1] == b"\x80" and len(token) > 57 and (len(token) - 57) % 16 == 0


def _ciphers(keys: Sequence[bytes]) -> list[Any]:
    """Of each key: the first encrypts, all decrypt; a key is changed by putting the new one in front."""
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return [
        Fernet(base64.urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)))
        for key in keys
    ]
