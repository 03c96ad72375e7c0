"""What programs leave beside the files that a person sends (docs/intake.md#the-package)."""

from __future__ import annotations

from typing import Final

_BEGINNINGS: Final = (".", "~$")
"""Hidden files and locks; `.~lock.loans.ods#` is both."""
_ENDS: Final = (".filepart", ".part", ".partial", ".tmp", ".crdownload", ".uploading", "~", ".bak", ".xlk")
_NAMES: Final = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name, without the folders above it, is nothing that anybody reports."""
    name = name.casefold()
    return name in _NAMES or name.startswith(_BEGINNINGS) or name.endswith(_ENDS)
