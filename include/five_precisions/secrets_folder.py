"""The secrets of docker-compose.yaml, a file each: `python3 secrets_folder.py FOLDER` makes those that are missing.

It needs nothing but Python: on a machine where only containers run there is no environment of ours.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

_FOLDER_MODE = 0o700
_FILE_MODE = 0o644
"""The folder keeps others out. In a container, where the file alone is seen, its reader is another user than the owner,
and compose cannot say who: it mounts the file as it is."""


def _random() -> str:
    return secrets.token_urlsafe(48)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


SECRETS: Mapping[str, Callable[[], str]] = {
    "postgres_password": _random,
    "database_password": _random,
    "redis_password": _random,
    "airflow_fernet_key": _fernet_key,
    "airflow_jwt_secret": _random,
    "airflow_api_secret_key": _random,
    "airflow_admin_password": lambda: secrets.token_urlsafe(18),
    "airflow_connections.json": lambda: "{}",
    "FIVE_PRECISIONS_PII_KEY": _random,
    "FIVE_PRECISIONS_ARCHIVE_KEY": _random,
    "FIVE_PRECISIONS_WAREHOUSE": lambda: "postgresql+psycopg://five_precisions@postgres/five_precisions",
    "FIVE_PRECISIONS_MAIL": str,
    "FIVE_PRECISIONS_INBOX_OPTIONS": str,
    "FIVE_PRECISIONS_OUTBOX_OPTIONS": str,
    "FIVE_PRECISIONS_ARCHIVE_OPTIONS": str,
}
"""What the file of each name begins with; docs/secrets.md says what each is. The last four may stay empty."""


def create_file(path: Path, content: str, mode: int) -> bool:
    """Make a file; whether it was made.

    It appears whole or not at all, and one that is there is never touched: with its key everything hashed and archived
    so far would be lost.
    """
    # mkstemp makes the file with mode 0600; a link, unlike a rename, refuses to replace what is there.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    finally:
        draft.unlink()
    return True


def create_secrets_folder(folder: Path) -> list[str]:
    """Make the folder, for its owner only, and whatever file is missing there; the names of those that were made."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_FOLDER_MODE)
    return [name for name, make in SECRETS.items() if create_file(folder / name, make(), _FILE_MODE)]


def main(arguments: list[str]) -> int:
    """Make what is missing, say so, and give the exit code (2: wrong usage or set-up)."""
    if len(arguments) != 1:
        print("Usage: python3 secrets_folder.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        made = create_secrets_folder(folder)
    except OSError as error:
        print(f"{error.filename or folder} cannot be made: {error.strerror}.", file=sys.stderr)
        return 2
    kept = len(SECRETS) - len(made)
    print(f"{folder}: {len(made)} made, {kept} kept as they are; keep a copy in a safe place.")
    if empty := [name for name in SECRETS if not (folder / name).stat().st_size]:
        print(f"Empty, for you to fill in where you have one: {', '.join(empty)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
