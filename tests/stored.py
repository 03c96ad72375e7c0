"""Results kept in files of the tests: what people have looked at and found good, against what comes out now."""

from __future__ import annotations

import os
from pathlib import Path

RENEW = "RENEW_STORED"
"""Set it to 1 to keep what comes out now; then look at the difference before you commit it."""


def stored(path: Path, found: str) -> str:
    """What a file keeps; renewed with what comes out now, if that was asked for."""
    if os.environ.get(RENEW) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.exists(), f"{path} is not there; look at what comes out, then keep it with {RENEW}=1"
    return path.read_text(encoding="utf-8")


def assert_as_stored(path: Path, found: str) -> None:
    """Hold a text against the file that keeps it, line by line."""
    kept = stored(path, found)
    assert found.splitlines() == kept.splitlines(), f"{path.name} reads otherwise; if that is meant: {RENEW}=1"
