"""The text files of the repository, found without git, which a copy may lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from five_precisions.settings import ROOT

_NOT_OURS = {"var", "secrets", "__pycache__", "node_modules"}
_HIDDEN_AND_OURS = {".ci", ".env.example", ".dockerignore", ".gitignore", ".pre-commit-config.yaml", ".airflowignore"}
_NO_TEXT = {".png", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".parquet", ".zip", ".pdf", ".ttf"}


def text_files(folder: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Each file's path from the repository's root, and its text."""
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_OURS or (path.name.startswith(".") and path.name not in _HIDDEN_AND_OURS):
            continue
        if path.is_dir():
            yield from text_files(path)
        elif path.suffix not in _NO_TEXT:
            try:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                # Among the tests' files are some of other encodings and of none.
                continue
