"""Names of tables and columns are made of the words of docs/field.md#words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from five_precisions_docs import REFERENCE

FIELD = REFERENCE.parent / "field.md"


def glossary() -> set[str]:
    """The words that the page explains: in the first cell of a row of its section, as code."""
    _, _, section = FIELD.read_text(encoding="utf-8").partition("\n## Words\n")
    section = section.partition("\n## ")[0] or section
    rows = re.findall(r"^\| (`[^|]+`) *\|", section, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def names() -> set[str]:
    """Of every table, view and column, from the page that a migrated warehouse is held against."""
    page = (REFERENCE / "warehouse.md").read_text(encoding="utf-8")
    return set(re.findall(r"^### \w+\.(\w+)$", page, re.MULTILINE)) | set(
        re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    )


def unexplained(found: Iterable[str], words: set[str]) -> list[str]:
    """Names with a part that is none of the words."""
    return sorted(name for name in found if not {*name.split("_")} <= words)


def test_every_table_and_column_is_called_by_words_of_the_field() -> None:
    assert len(names()) > 350
    assert len(glossary()) > 250
    assert unexplained(names(), glossary()) == []
    assert unexplained(["household_yardstick", "loan_balance"], glossary()) == ["household_yardstick"]
