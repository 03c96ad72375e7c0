"""What must hold of a judged package: each accepted report is what its cover says, by two ways.

The first way are the rows as they were typed. The second way asks no code of the package: the table before it was
written, or, where bytes were changed, another reader of the file (openpyxl, calamine, csv).
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import openpyxl
import python_calamine
from tests.fuzz.mutations import Mutated, plain

from five_precisions.intake.findings import Verdict
from five_precisions.intake.judged_package import JudgedPackage, ReportDraft
from five_precisions.reports.level import Level


class BrokenPromiseError(AssertionError):
    """A report was accepted that is not what its cover says, or a finding says nothing."""


def check(mutated: Mutated, judged: JudgedPackage) -> tuple[int, int]:
    """Hold the judgement against the package; how many reports were accepted, and how many compared a second time.

    Raises:
        BrokenPromiseError: see there.
    """
    accepted = compared = 0
    for finding in judged.findings:
        if not finding.message.endswith("。"):
            raise BrokenPromiseError(f"{finding.rule} says no sentence: {finding.message}")
    if not judged.has_cover and not any(finding.rule == "F01" for finding in judged.findings):
        # Such a package waits for its cover, and nothing of it is accepted.
        return 0, 0
    for draft in judged.drafts:
        verdict = draft.judged()
        if verdict.verdict is not Verdict.ACCEPTED:
            if verdict.verdict is Verdict.REJECTED and not any(
                each.level is Level.CRITICAL and (each.report == draft.report.code or each.rule == "F13")
                for each in judged.findings
            ):
                raise BrokenPromiseError(f"{draft.report.code} is rejected without a reason")
            continue
        accepted += 1
        _check_typed(draft)
        control = draft.report.control_column
        second = _second_reading(mutated, draft, control.header if control else None)
        if second is None:
            continue
        compared += 1
        stated = (draft.line.rows if draft.line else None, (draft.line.total or Decimal(0)) if draft.line else None)
        if second[0] != stated[0] or (control and second[1] != stated[1]):
            raise BrokenPromiseError(f"{draft.report.code} is accepted as {stated}, another reader finds {second}")
    return accepted, compared


def _check_typed(draft: ReportDraft) -> None:
    if draft.line is None or draft.rows is None:
        raise BrokenPromiseError(f"{draft.report.code} is accepted without cover or rows")
    control = draft.report.control_column
    if draft.line.rows != len(draft.rows.rows):
        raise BrokenPromiseError(f"{draft.report.code} has another number of rows than its cover says")
    if control is None:
        return
    total = sum((value for value in draft.rows.columns[control.name] if isinstance(value, Decimal)), Decimal(0))
    if total != (draft.line.total or Decimal(0)):
        raise BrokenPromiseError(f"{draft.report.code} has another total than its cover says")


def _second_reading(mutated: Mutated, draft: ReportDraft, control: str | None) -> tuple[int, Decimal] | None:
    sheet = draft.sheets[0]
    if draft.rows is not None and draft.rows.layout.left_out:
        # The other reader knows no rows that are no data.
        return None
    if mutated.grids is not None:
        rows: Sequence[Sequence[Any]] | None = [
            [plain(cell) for cell in row] for row in mutated.grids[draft.report.code]
        ]
    else:
        rows = _read_otherwise(sheet.file, mutated.content_of(sheet.file), sheet.name)
    if not rows:
        return None
    headers = {_normal(column.header) for column in draft.report.columns}
    at = max(range(min(10, len(rows))), key=lambda number: (len(headers & {*map(_normal, rows[number])}), -number))
    # A row is what has something in it, but a total.
    data = [row for row in rows[at + 1 :] if any(map(_normal, row)) and not _is_total(row)]
    if control is None:
        return len(data), Decimal(0)
    place = [_normal(cell) for cell in rows[at]].index(_normal(control))
    total = Decimal(0)
    for row in data:
        text = _normal(row[place]) if place < len(row) else ""
        try:
            total += Decimal(text.replace(",", "") or 0)
        except InvalidOperation:
            return None
    return len(data), total


def _is_total(row: Sequence[Any]) -> bool:
    return any(_normal(cell) in ("合计", "总计") for cell in row[:2])


def _normal(cell: Any) -> str:
    if isinstance(cell, float):
        return plain(float(format(cell, ".15g")))
    text = "" if cell is None else str(cell)
    return "".join(unicodedata.normalize("NFKC", text).split()).lstrip("'").replace("\u200b", "").replace("\ufeff", "")


def _read_otherwise(file: str, content: bytes, sheet: str | None) -> list[list[Any]] | None:
    """The file by another reader, or None where that one gives up."""
    try:
        if file.endswith(".csv"):
            return _read_csv(content)
        if file.endswith(".xlsx"):
            book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
            return [list(row) for row in book[sheet or ""].iter_rows(values_only=True)]
        if file.endswith(".ods"):
            calamine = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
            return [list(row) for row in calamine.get_sheet_by_name(sheet or "").to_python(skip_empty_area=False)]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
    return None


def _read_csv(content: bytes) -> list[list[Any]] | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        delimiter = max(",;\t|，", key=lambda sign: max(map(str.count, text.splitlines()[:10], sign * 10), default=0))
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return None
