"""What programs leave beside the files that a person sends (docs/intake.md#the-package)."""

from __future__ import annotations

from typing import Final

_BEGINNINGS: Final = (".", "~$")
"""Hidden files and locks; `.~lock.loans.ods#` is both."""
_UPLOADS: Final = (".filepart", ".part", ".partial", ".tmp", ".crdownload", ".uploading", "~lock")
"""How upload programs name a file until it is whole."""
_ENDS: Final = (*_UPLOADS, "~", ".bak", ".xlk")
_NAMES: Final = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name, without the folders above it, is nothing that anybody reports."""
    name = name.casefold()
    return name in _NAMES or name.startswith(_BEGINNINGS) or name.endswith(_ENDS)


def is_upload(name: str) -> bool:
    """Whether a file of this name is being uploaded: it will have another one when it is whole."""
    return name.casefold().endswith(_UPLOADS) and not name.startswith(_BEGINNINGS)
