"""Folders by fsspec address, local or remote: opening them, and writing a file whole or not at all (spec/03)."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import fsspec  # type: ignore[import-untyped]

from five_precisions.errors import SetupError, UnreachableError

_TEMPORARY: Final = ".part"


def open_folder(name: str, address: str) -> tuple[Any, str]:
    """The file system of an address, and the folder's path in it.

    Args:
        name: What the folder is, for the sentence: `outbox`.
        address: An fsspec address.

    Raises:
        SetupError: the address means nothing.
    """
    try:
        files, root = fsspec.url_to_fs(address)
    except (ValueError, ImportError, OSError) as error:
        raise SetupError(f"The {name}'s address cannot be used: {type(error).__name__}.") from None
    return files, str(root).rstrip("/")


def write_whole(files: Any, path: str, content: bytes) -> None:
    """Write a file of an fsspec file system aside and move it to its place: readers find all of it, or nothing.

    Raises:
        OSError: it cannot be written there.
    """
    files.makedirs(path.rpartition("/")[0], exist_ok=True)
    aside = f"{path}.{uuid4().hex}{_TEMPORARY}"
    files.pipe_file(aside, content)
    files.mv(aside, path)


def write_into(name: str, address: str, contents: dict[str, bytes]) -> list[str]:
    """Write files into a folder, each whole or not at all; their addresses.

    Args:
        name: What the folder is, for the sentence: `outbox`.
        address: An fsspec address.
        contents: By path below the folder.

    Raises:
        SetupError: the address means nothing.
        UnreachableError: the folder cannot be written to.
    """
    files, root = open_folder(name, address)
    paths = {f"{root}/{path}": content for path, content in contents.items()}
    try:
        for path, content in paths.items():
            write_whole(files, path, content)
    except OSError as error:
        raise UnreachableError(f"The {name} cannot be written to: {error.strerror or type(error).__name__}.") from error
    return list(paths)
