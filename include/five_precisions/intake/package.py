"""A package as it was delivered: its files, the largest of them not held in memory (docs/intake.md#the-package)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath

from five_precisions.intake.findings import printable
from five_precisions.reports.masking import mask_digit_runs


class ChangedWhileReadError(Exception):
    """A file became another one between two looks at it; the next look takes it as it is then."""


@dataclass(frozen=True, slots=True)
class LargeFile:
    """What is known of a file that is not held in memory."""

    size: int
    sha256: str
    chunks: Callable[[], Iterator[bytes]]
    """Reads it once more, where it lies. Raises OSError where it lies no longer."""


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a package, as its bytes arrived."""

    name: str
    content: bytes = field(repr=False)
    """Nothing of a file that is not held."""
    large: LargeFile | None = field(default=None, repr=False, compare=False)

    @cached_property
    def sha256(self) -> str:
        """Its name in the archive."""
        return self.large.sha256 if self.large else hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Bytes."""
        return self.large.size if self.large else len(self.content)

    def chunks(self) -> Iterator[bytes]:
        """All of its bytes; those of a file that is not held are read where it lies, which may have changed since.

        Raises:
            ChangedWhileReadError: it lies there no longer.
        """
        if self.large is None:
            yield self.content
            return
        try:
            yield from self.large.chunks()
        except OSError as error:
            raise ChangedWhileReadError("A file was taken away while it was read.") from error

    def read(self, most: int) -> bytes:
        """All of its bytes; of a file with more than `most` a beginning that has more, too.

        Raises:
            ChangedWhileReadError: it is no longer the one whose hash was taken.
        """
        if self.large is None:
            return self.content
        parts: list[bytes] = []
        sha256, size = hashlib.sha256(), 0
        for part in self.chunks():
            parts.append(part)
            sha256.update(part)
            size += len(part)
            if size > most:
                # Cut before it is joined: a copy of it all is one less.
                parts[-1] = part[: len(part) - (size - most - 1)]
                return b"".join(parts)
        if sha256.hexdigest() != self.sha256:
            raise ChangedWhileReadError("A file changed while it was read.")
        return b"".join(parts)


def load_files(files: Iterable[tuple[str, Callable[[], Iterator[bytes]]]], *, held: int) -> Iterator[DeliveredFile]:
    """The files, each read once: no more than so many bytes of all of them are held, of the others size and hash.

    Args:
        files: Names, and what reads them.
        held: Bytes.
    """
    for name, chunks in files:
        kept: list[bytes] = []
        sha256, size = hashlib.sha256(), 0
        for chunk in chunks():
            sha256.update(chunk)
            size += len(chunk)
            if size <= held:
                kept.append(chunk)
            else:
                kept.clear()
        if size <= held:
            held -= size
            yield DeliveredFile(name, b"".join(kept))
        else:
            yield DeliveredFile(name, b"", LargeFile(size, sha256.hexdigest(), chunks))


def mask_file_names(files: Iterable[DeliveredFile]) -> list[DeliveredFile]:
    """The files under names that may be shown and kept: no long run of digits, nothing that cannot be stored.

    Two that would have the same name then are numbered, for by its name a file is found in its version.
    """
    taken: set[str] = set()
    renamed: list[DeliveredFile] = []
    for file in files:
        path = PurePosixPath(printable(mask_digit_runs(file.name)))
        name, number = path.name, 1
        while name in taken:
            number += 1
            name = f"{path.stem}({number}){path.suffix}"
        taken.add(name)
        renamed.append(replace(file, name=name))
    return renamed
