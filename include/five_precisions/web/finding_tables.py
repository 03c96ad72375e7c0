"""Findings in tables: their levels, and the findings of a version or of files under check (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from five_precisions.intake.level_words import LEVEL_WORDS
from five_precisions.reports import load_reports
from five_precisions.reports.level import Level
from five_precisions.web.tables import Cell, Column, Table

MOST_FINDINGS: Final = 500
"""On a page; the workbook holds all."""
_LEVEL_STYLES: Final = {Level.CRITICAL: "bad", Level.WARNING: "warn", Level.NOTICE: None}


def level_cell(level: Level) -> Cell:
    """The level of a finding."""
    return Cell(value=LEVEL_WORDS[level], state=_LEVEL_STYLES[level])


def findings_table(findings: Sequence[Any], number: str | None) -> Table:
    """Findings as a page shows them, the first of them where there are many.

    Args:
        findings: Rows of the ledger, or `Finding`s.
        number: The receipt number; None where there is no version.
    """
    reports = load_reports()
    return Table(
        name="findings",
        title="发现的问题" if number is None else f"发现的问题（{number}）",
        columns=[
            Column("level", "级别"),
            Column("rule", "规则"),
            Column("report", "报表"),
            Column("place", "位置"),
            Column("header", "表头"),
            Column("key", "行标识"),
            Column("value", "报送值"),
            Column("expected", "应为"),
            Column("message", "说明"),
            Column("explanation", "机构的解释"),
        ],
        rows=[
            (
                level_cell(Level(row.level)),
                *(row.rule, reports[row.report].title if row.report in reports else "整个报送包", _place(row)),
                *(row.header, row.key, row.value, row.expected, row.message, row.explanation),
            )
            for row in findings[:MOST_FINDINGS]
        ],
        empty="这一版没有发现问题。" if number else "没有版本，也就没有问题。",
    )


def _place(row: Any) -> str:
    where = row.cell or (f"第{row.row_number}行" if row.row_number else "")
    return " ".join(filter(None, (row.file, f"“{row.sheet}”" if row.sheet else "", where)))
