"""The archive: delivered files, content-addressed, encrypted at rest (spec/02, Sensitive columns; spec/03)."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from five_precisions.errors import FivePrecisionsError, SetupError
from five_precisions.intake.judging import ChangedWhileReadError, DeliveredFile
from five_precisions.settings import Settings
from five_precisions.storage import open_folder, reaching, shown_address, write_whole

logger = logging.getLogger(__name__)

_PURPOSE: Final = b"five-precisions archive"
_CHUNK: Final = 8 * 1024**2
"""Bytes encrypted at a time. A longer file is several tokens, one a line; SHA-256 tells whether one is missing."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")


class ArchiveError(FivePrecisionsError):
    """An archived file is not there, is damaged, or was encrypted with a key that is not set."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What `Archive.renew` found and did."""

    files: int
    renewed: int
    """Those encrypted anew; the others bore the first key already."""
    unopened: tuple[str, ...]
    """SHA-256 of those that none of the keys opens, or that are damaged: left as they are."""


class Archive:
    """Files by their SHA-256, each encrypted; what is there is never written again, but for a change of the key."""

    def __init__(self, address: str, keys: Sequence[bytes], options: Mapping[str, Any] | None = None) -> None:
        self._place = f"archive {shown_address(address)}"
        self._files, self._root = open_folder("archive", address, options)
        self._first, self._cipher = _ciphers(keys)

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """The archive that the settings name.

        Raises:
            SetupError: its key is missing or too short, or its address cannot be used.
        """
        keys = settings.require_archive_keys()
        return cls(settings.archive_address, keys, settings.storage_options("archive"))

    def put(self, content: bytes) -> str:
        """Keep a file; its SHA-256. Whole or not at all: it is written aside and then moved to its place.

        Raises:
            SetupError: the archive cannot be written to.
            UnreachableError: it does not answer.
        """
        return self.keep(DeliveredFile("", content))

    def keep(self, file: DeliveredFile) -> str:
        """Keep a delivered file, a large one without ever holding more than some chunks of it; its SHA-256.

        Raises:
            SetupError: the archive cannot be written to.
            UnreachableError: it does not answer, or the store that a large file is read from.
            ChangedWhileReadError: a large file is no longer the one whose hash was taken; nothing is kept.
        """
        path = self._path(file.sha256)
        try:
            with reaching(self._place, self._files):
                self._files.invalidate_cache()
                if not self._files.exists(path):
                    write_whole(self._files, path, self._tokens(file.chunks(), file.sha256))
        except OSError as error:
            raise SetupError(f"The archive cannot be written to: {error.strerror or type(error).__name__}.") from error
        return file.sha256

    def get(self, sha256: str) -> bytes:
        """The file of that SHA-256.

        Raises:
            ArchiveError: it is not there, damaged, or none of the keys opens it.
        """
        return b"".join(self.read(sha256))

    def read(self, sha256: str) -> Iterator[bytes]:
        """The file of that SHA-256, chunk by chunk: only when the last has come, it is sure that all are right.

        Raises:
            ArchiveError: it is not there, damaged, or none of the keys opens it.
        """
        from cryptography.fernet import InvalidToken

        found = hashlib.sha256()
        try:
            for token in self._lines(self._path(sha256)):
                chunk: bytes = self._cipher.decrypt(token)
                found.update(chunk)
                yield chunk
        except FileNotFoundError:
            raise ArchiveError(f"The archive has no file {sha256}.") from None
        except InvalidToken:
            raise ArchiveError(f"The archived file {sha256} is damaged, or its key is no longer set.") from None
        if found.hexdigest() != sha256:
            raise ArchiveError(f"The archived file {sha256} is damaged.")

    def renew(self) -> Renewal:
        """Encrypt anew, with the first key, all that bears another one; afterwards the others are no longer needed.

        It may be ended at any point and run again, by two at once as well: each file is replaced whole by one of the
        same contents, and one that does not open stays as it is.

        Raises:
            SetupError: the archive cannot be written to.
            UnreachableError: it does not answer.
        """
        files = renewed = 0
        unopened: list[str] = []
        for sha256 in self._stored():
            files += 1
            try:
                if not self._bears_first_key(sha256):
                    path = self._path(sha256)
                    with reaching(self._place, self._files):
                        write_whole(self._files, path, self._tokens(self.read(sha256), sha256))
                    renewed += 1
            except ArchiveError as error:
                logger.warning("%s", error)
                unopened.append(sha256)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise SetupError(f"The archive cannot be written to: {reason}.") from error
        return Renewal(files, renewed, tuple(unopened))

    def _tokens(self, chunks: Iterable[bytes], sha256: str) -> Iterator[bytes]:
        """The lines of an archived file; before the last is given out, the whole is held against its hash."""
        found = hashlib.sha256()
        separator = b""
        waiting: bytes | None = None
        for chunk in _regrouped(chunks):
            found.update(chunk)
            if waiting is not None:
                yield separator + self._first.encrypt(waiting)
                separator = b"\n"
            waiting = chunk
        if found.hexdigest() != sha256:
            raise ChangedWhileReadError("A file changed while it was read.")
        yield separator + self._first.encrypt(waiting or b"")

    def _lines(self, path: str) -> Generator[bytes]:
        with reaching(self._place, self._files), self._files.open(path, "rb") as file:
            rest = b""
            while block := file.read(_CHUNK):
                *whole, rest = (rest + block).split(b"\n")
                yield from whole
            yield rest

    def _bears_first_key(self, sha256: str) -> bool:
        from cryptography.fernet import InvalidToken

        lines = self._lines(self._path(sha256))
        try:
            self._first.decrypt(next(lines))
        except InvalidToken:
            return False
        finally:
            lines.close()
        return True

    def _stored(self) -> Iterator[str]:
        for shard in self._names(self._root, "directory", _SHARD):
            yield from self._names(f"{self._root}/{shard}", "file", _SHA256)

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


def _ciphers(keys: Sequence[bytes]) -> tuple[Any, Any]:
    """The first key's, which encrypts, and one of all keys: a key is changed by putting the new one in front."""
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    each = [
        Fernet(base64.urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)))
        for key in keys
    ]
    return each[0], MultiFernet(each)
