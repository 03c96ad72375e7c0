"""What a reports.yaml in the place of ours must keep: statements read our reports and columns by name.

See docs/own-city.md#reference-files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from five_precisions.errors import SetupError
from five_precisions.reference import wrong_at

if TYPE_CHECKING:
    from five_precisions.reports.declaration import Column, Report

OF_EVERY_REPORT: Final = ("period", "submission_id", "delivered_by", "row_number")
"""Columns that the warehouse gives every table of delivered rows."""
_SAME_OF_REPORT: Final = {
    "kind": "how its months relate",
    "key": "what identifies a row",
}
_SAME_OF_COLUMN: Final = {
    "type": "what its cells hold",
    "sensitive": "how it is kept",
    "code": "how it is compared",
}


def require_ours(path: Path, reports: Mapping[str, Report], ours: Mapping[str, Report]) -> None:
    """Refuse a declaration without what include/sql reads; what has ended stays in it, with `until`.

    Raises:
        SetupError: so it is; the sentence names the first place.
    """
    for sentence in faults(path, reports, ours):
        raise SetupError(sentence)


def faults(path: Path, reports: Mapping[str, Report], ours: Mapping[str, Report]) -> Iterator[str]:
    """What is wrong with the declaration in the place of ours, a sentence each."""
    for code, report in ours.items():
        if code not in reports:
            yield f"{path} lacks the report {code}, which our statements read; where it has ended, write until."
            continue
        own = reports[code]
        for name, words in _SAME_OF_REPORT.items():
            if getattr(own, name) != getattr(report, name):
                yield str(wrong_at(path, (code, name), f"{words} stays {_said(getattr(report, name))}"))
        held = {column.name: (place, column) for place, column in enumerate(own.columns)}
        for column in report.columns:
            if column.name in held:
                place, own_column = held[column.name]
                for reason in _column_faults(own_column, column):
                    yield str(wrong_at(path, (code, "columns", place), f"column {column.name}: {reason}"))
            else:
                yield (
                    f"{path} lacks the column {column.name} of {code}, which our statements read; where it has ended, "
                    "write until."
                )
    for code, report in reports.items():
        for place, column in enumerate(report.columns):
            if column.name in OF_EVERY_REPORT or column.hash_name in OF_EVERY_REPORT:
                reason = f"column {column.name}: every report has a column of this name already"
                yield str(wrong_at(path, (code, "columns", place), reason))


def _column_faults(own: Column, ours: Column) -> Iterator[str]:
    for name, words in _SAME_OF_COLUMN.items():
        if getattr(own, name) != getattr(ours, name):
            yield f"{words} stays as it is, {name} {_said(getattr(ours, name))}"
    if missing := [value for value in ours.of if value not in own.of]:
        yield f"the value {missing[0]} is missing, which our statements read; where it has ended, write until"


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value).lower()
