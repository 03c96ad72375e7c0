"""The secrets file of one machine: `python -m five_precisions.secrets_file PATH` makes it where it is missing.

`make install` calls it for the embedded default (docs/reference/settings.md); elsewhere secrets come from the
environment. Beside a warehouse that is there already no new secrets are made: what it holds was hashed and encrypted
with others.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values

from five_precisions.errors import FivePrecisionsError, SetupError
from five_precisions.rights import close_folder, keep_private, make_private_folder
from five_precisions.secrets_folder import create_file
from five_precisions.settings import PREFIX

NAMES = (PREFIX + "PII_KEY", PREFIX + "ARCHIVE_KEY")
_RANDOM_BYTES = 48


def ensure_secrets(path: Path, environment: Mapping[str, str]) -> bool:
    """Make the secrets file where both secrets are missing and nothing was made with others; whether it was made.

    Args:
        path: The file.
        environment: In which the secrets, or another file of secrets, may be named.

    Raises:
        SetupError: a secret is missing that a warehouse was made with, or the file has only one of them.
        OSError: it cannot be made.
    """
    elsewhere = environment.get(PREFIX + "SECRETS_FILE")
    given = {name for name in NAMES if environment.get(name)} | (_names_in(Path(elsewhere)) if elsewhere else set())
    if path.exists():
        missing = [name for name in NAMES if name not in given | _names_in(path)]
        if missing:
            raise SetupError(
                f"{path} has no {' and no '.join(missing)}: put it back from your copy, as no new one opens what was "
                "made with the old one (docs/secrets.md)."
            )
        return False
    if given.issuperset(NAMES):
        return False
    for found in _made_with_secrets_of(path, environment):
        raise SetupError(
            f"{found} was made with secrets, and {path} is not there: put it back from your copy, or remove the folder "
            f"{found.parent} if nothing in it is wanted any more (docs/secrets.md)."
        )
    return create_secrets_file(path)


def create_secrets_file(path: Path) -> bool:
    """Make the file with fresh secrets, readable by its owner only; whether it was made.

    One that is there is never touched.
    """
    make_private_folder(path.parent)
    content = "".join(f"{name}={secrets.token_urlsafe(_RANDOM_BYTES)}\n" for name in NAMES)
    return create_file(path, content, 0o600)


def _names_in(path: Path) -> set[str]:
    """Which of the secrets a file of secrets has; an empty one is none."""
    if not path.is_file():
        return set()
    try:
        lines = dotenv_values(path, encoding="utf-8", interpolate=False)
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not text in UTF-8.") from None
    return {name.upper() for name, value in lines.items() if value}


def _made_with_secrets_of(path: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Warehouses and archives that rest on this file of secrets: beside it, or in a folder without one of its own."""
    folders = [path.parent, *sorted(path.parent.glob("*/"))]
    if named := environment.get(PREFIX + "VAR"):
        folders.append(Path(named))
    for folder in folders:
        if folder == path.parent or not (folder / path.name).exists():
            yield from (folder / name for name in ("warehouse", "archive") if _holds_something(folder / name))


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is not None


def main(arguments: list[str]) -> int:
    """Make the file named, say so, and give the exit code (2: wrong usage or set-up)."""
    if len(arguments) != 1:
        print("Usage: python -m five_precisions.secrets_file PATH", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    keep_private()
    close_folder(path.parent)
    try:
        if ensure_secrets(path, os.environ):
            print(f"{path}: made, readable by you only; keep a copy in a safe place.")
    except OSError as error:
        print(f"{path} cannot be made: {error.strerror}.", file=sys.stderr)
        return 2
    except FivePrecisionsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
