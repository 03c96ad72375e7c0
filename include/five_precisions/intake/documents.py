"""Scans, pictures and texts that people put beside their reports (docs/intake.md#the-package)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

_SUFFIXES: Final = frozenset(
    {".pdf", ".ofd", ".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".heic"}
    | {".doc", ".docx", ".wps", ".rtf", ".odt", ".txt", ".md", ".ppt", ".pptx", ".dps"}
)


def is_document(name: str) -> bool:
    """Whether a file of this name is read by people alone."""
    return PurePosixPath(name).suffix.casefold() in _SUFFIXES
