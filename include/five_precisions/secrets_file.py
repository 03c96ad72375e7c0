"""The secrets file of one machine: `python -m five_precisions.secrets_file PATH` makes it where it is missing.

`make install` calls it for the embedded default (spec/05, Environment); elsewhere secrets come from the environment.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path

from five_precisions.settings import PREFIX

NAMES = (PREFIX + "PII_KEY", PREFIX + "ARCHIVE_KEY")
_RANDOM_BYTES = 48


def create_secrets_file(path: Path) -> bool:
    """Make the file with fresh secrets, readable by its owner only; whether it was made.

    It appears whole or not at all, and one that is there is never touched: with its key everything hashed and archived
    so far would be lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600; a link, unlike a rename, refuses to replace what is there.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={secrets.token_urlsafe(_RANDOM_BYTES)}\n" for name in NAMES)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    finally:
        draft.unlink()
    return True


def main(arguments: list[str]) -> int:
    """Make the file named, say so, and give the exit code (2: wrong usage or set-up)."""
    if len(arguments) != 1:
        print("Usage: python -m five_precisions.secrets_file PATH", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    try:
        created = create_secrets_file(path)
    except OSError as error:
        print(f"{path} cannot be made: {error.strerror}.", file=sys.stderr)
        return 2
    print(f"{path}: made, readable by you only; keep a copy in a safe place." if created else f"{path}: kept as it is.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
