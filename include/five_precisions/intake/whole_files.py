"""Writing a file whole or not at all, wherever it lies (spec/03, Its life)."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

_TEMPORARY: Final = ".part"


def write_whole(files: Any, path: str, content: bytes) -> None:
    """Write a file of an fsspec file system aside and move it to its place: readers find all of it, or nothing.

    Raises:
        OSError: it cannot be written there.
    """
    files.makedirs(path.rpartition("/")[0], exist_ok=True)
    aside = f"{path}.{uuid4().hex}{_TEMPORARY}"
    files.pipe_file(aside, content)
    files.mv(aside, path)
