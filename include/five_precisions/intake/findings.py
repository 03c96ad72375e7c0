"""Findings and judgements: what the checks say about a delivery (docs/reports.md#rules; docs/intake.md#the-receipt)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from five_precisions.reports import Column, Report
from five_precisions.reports.cells import Cell, cell_text, plain_code
from five_precisions.reports.level import Level
from five_precisions.reports.masking import kept, mask, mask_digit_runs, mask_resident_ids

KEY_SEPARATOR: Final = "/"
"""Between the parts of a key of several columns."""
_LONGEST_SHOWN: Final = 200
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_NOT_STORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Verdict(StrEnum):
    """How a report, or a whole submission, was judged."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    REJECTED = "rejected"
    NIL = "nil"


class State(StrEnum):
    """Why a delivery was not judged."""

    REPEATED = "repeated"
    """The same bytes as an earlier version (docs/intake.md#its-life)."""
    INCOMPLETE = "incomplete"
    """No cover yet, or a file has just changed."""
    FAILED = "failed"
    """Our fault; the log says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong or worth knowing, with its place in the file as delivered. Nothing in it is sensitive."""

    report: str | None
    rule: str
    level: Level
    message: str
    file: str | None = None
    sheet: str | None = None
    row_number: int | None = None
    column_number: int | None = None
    """From 1; with the row number it makes the cell's address."""
    header: str | None = None
    key: str | None = None
    value: str | None = None
    expected: str | None = None
    explanation: str | None = None
    """What the institution has said of this value, where it has (docs/intake.md#explanations)."""

    @property
    def cell(self) -> str | None:
        """The address of the cell as a spreadsheet shows it."""
        if self.row_number is None or self.column_number is None:
            return None
        return f"{column_letters(self.column_number)}{self.row_number}"


@dataclass(frozen=True, slots=True)
class JudgedReport:
    """The verdict on one report of a submission (table intake.report)."""

    report: str
    verdict: Verdict
    rows: int
    control_total: Decimal | None
    errors: int
    """Critical findings."""
    warnings: int
    file: str | None = None
    sheet: str | None = None
    validated: tuple[int, ...] | None = None
    """Places in the suite, from 0, of the expectations that Great Expectations judged; None: no row was held to it."""

    def with_findings(self, found: Iterable[Finding]) -> JudgedReport:
        """The verdict with those of more findings that are about the report: one critical finding rejects it."""
        levels = Counter(finding.level for finding in found if finding.report == self.report)
        return replace(
            self,
            verdict=Verdict.REJECTED if levels[Level.CRITICAL] else self.verdict,
            errors=self.errors + levels[Level.CRITICAL],
            warnings=self.warnings + levels[Level.WARNING],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of one delivery."""

    institution_code: str
    period: str
    verdict: Verdict | State
    submission_id: str | None = None
    """The receipt number; of a repeated delivery that of the earlier version."""
    version: int | None = None
    received_at: datetime | None = None
    remark: str | None = None
    """Why it was not judged, in English, for ops."""
    reports: tuple[JudgedReport, ...] = ()
    findings: tuple[Finding, ...] = ()


def column_letters(number: int) -> str:
    """A column's letters from its number: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number_of(cell: str) -> int:
    """The number of a cell's column from its address: 1 of A7, 27 of AA7."""
    number = 0
    for letter in cell.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def printable(text: str) -> str:
    """The text without what PostgreSQL cannot keep or nobody can read: NUL, control characters, lone surrogates."""
    return _NOT_STORABLE.sub("\ufffd", text)


def shown_text(text: str) -> str:
    """Text of a delivered file as a finding may show it: no run of eleven or more digits, no control characters."""
    return printable(mask_digit_runs(text))[:_LONGEST_SHOWN]


def shown_value(cell: Cell, column: Column, *, is_key: bool = False) -> str | None:
    """A delivered cell as a finding may show it; None for an empty one."""
    text = cell_text(cell)
    if not text:
        return None
    if column.sensitive:
        return printable(mask(text, column.sensitive))[:_LONGEST_SHOWN]
    return printable(shown_key_part(text, column))[:_LONGEST_SHOWN] if is_key else shown_text(text)


def shown_key_part(text: str, column: Column) -> str:
    """A part of a row's key as findings name the row: a code as it stands, for by it the institution finds the row.

    Unless it is no code but a resident ID in the wrong column.
    """
    if column.keeps_digits:
        # What has Chinese in it is a remark rather than a code.
        return mask_digit_runs(text) if _CHINESE.search(text) else mask_resident_ids(text)
    return kept(text, column)


def shown_key(key: str, report: Report) -> str:
    """A key that an institution has written, as findings name the same row."""
    columns = [report.column(name) for name in report.key]
    parts = key.split(KEY_SEPARATOR) if len(columns) > 1 else [key]
    if len(parts) != len(columns):
        # A part has a slash in it; which one, nobody can tell.
        return mask_digit_runs(key) if any(column.is_prose for column in columns) else key
    plain = (plain_code(part) if column.code else part for part, column in zip(parts, columns, strict=True))
    return KEY_SEPARATOR.join(map(shown_key_part, plain, columns))
