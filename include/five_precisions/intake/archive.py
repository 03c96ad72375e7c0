"""The archive: delivered files, content-addressed, encrypted at rest (spec/02, Sensitive columns; spec/03)."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Sequence
from typing import Any, Final

from five_precisions.errors import FivePrecisionsError, SetupError
from five_precisions.settings import Settings
from five_precisions.storage import open_folder, write_whole

logger = logging.getLogger(__name__)

_PURPOSE: Final = b"five-precisions archive"


class ArchiveError(FivePrecisionsError):
    """An archived file is not there, is damaged, or was encrypted with a key that is not set."""


class Archive:
    """Files by their SHA-256, each encrypted; what is there is never written again."""

    def __init__(self, address: str, keys: Sequence[bytes]) -> None:
        self._files, self._root = open_folder("archive", address)
        self._cipher = _cipher(keys)

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """The archive that the settings name.

        Raises:
            SetupError: its key is missing or too short, or its address cannot be used.
        """
        return cls(settings.archive_address, settings.require_archive_keys())

    def put(self, content: bytes) -> str:
        """Keep a file; its SHA-256. Whole or not at all: it is written aside and then moved to its place.

        Raises:
            SetupError: the archive cannot be written to.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        try:
            if self._files.exists(path):
                return sha256
            write_whole(self._files, path, self._cipher.encrypt(content))
        except OSError as error:
            raise SetupError(f"The archive cannot be written to: {error.strerror or type(error).__name__}.") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The file of that SHA-256.

        Raises:
            ArchiveError: it is not there, damaged, or none of the keys opens it.
        """
        from cryptography.fernet import InvalidToken

        try:
            content: bytes = self._cipher.decrypt(self._files.cat_file(self._path(sha256)))
        except FileNotFoundError:
            raise ArchiveError(f"The archive has no file {sha256}.") from None
        except InvalidToken:
            raise ArchiveError(f"The archived file {sha256} is damaged, or its key is no longer set.") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ArchiveError(f"The archived file {sha256} is damaged.")
        return content

    def _path(self, sha256: str) -> str:
        return f"{self._root.rstrip('/')}/{sha256[:2]}/{sha256}"


def _cipher(keys: Sequence[bytes]) -> Any:
    """The first key encrypts, all decrypt: a key is changed by putting the new one in front."""
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)))
            for key in keys
        ]
    )
