"""Which columns of reports a statement reads, and whether a month's forms have them (docs/reports.md#forms-by-date)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from five_precisions.period import Period
from five_precisions.reports.declaration import load_forms, load_reports


def lacks_columns(statement: str, period: Period) -> bool:
    """Whether a statement reads a column that its report has in other months, and not in this one.

    Read is what stands behind the name of a report, or behind the name that it bears in the statement: `visits.officer`
    of `from visits`, `visit.officer` of `from core.visits as visit`.
    """
    return any(
        re.search(rf"\b{name}\.(?:{'|'.join(absent)})\b", statement)
        for report, absent in _absent(period)
        for name in _names_of(report, statement)
    )


def _absent(period: Period) -> Iterator[tuple[str, list[str]]]:
    """Reports of the month's forms, with the columns of other months, and their hashes."""
    for code, form in load_forms(period).items():
        there = {column.name for column in form.columns}
        others = [column for column in load_reports()[code].columns if column.name not in there]
        if others:
            yield code, [name for column in others for name in (column.name, column.hash_name) if name is not None]


def _names_of(report: str, statement: str) -> set[str]:
    table = rf"\b(?:from|join)\s+(?:core\.(?:delivered_)?)?{report}\b"
    return {report, *re.findall(rf"{table}\s+as\s+(\w+)", statement)}
