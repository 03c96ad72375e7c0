"""A report's rows, cell by cell as declared (docs/reports.md#types; T01 to T05)."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from five_precisions.intake.findings import (
    KEY_SEPARATOR,
    Finding,
    column_letters,
    shown_key_part,
    shown_text,
    shown_value,
)
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.layout import Layout, Row, is_total_mark
from five_precisions.reports import Column, ColumnType, Report
from five_precisions.reports.cells import CellFault, Value, cell_text, read_cell, read_cells
from five_precisions.reports.level import Level

_COMPARED_SEPARATOR: Final = "\x1f"


@dataclass(slots=True)
class TypedRows:
    """The data rows of one report, column by column: values, None where empty or faulty, and the faults."""

    report: Report
    sheet: Sheet
    layout: Layout
    columns: dict[str, list[Value]]
    faults: dict[str, dict[int, CellFault]]
    """By column and position from 0."""

    @property
    def rows(self) -> list[Row]:
        """The rows as delivered."""
        return self.layout.data

    def place(self, column: Column) -> int | None:
        """Where the column stands in the file, from 0; None where its header is missing."""
        return self.layout.columns.get(column.header)

    def display_key(self, position: int) -> str | None:
        """The row's key as findings name it: parts joined with a slash; None where nothing of it is known."""
        parts = [
            shown_key_part(_key_text(self.columns[name][position]), self.report.column(name))
            for name in self.report.key
        ]
        return KEY_SEPARATOR.join(parts) if any(parts) else None

    def compared_keys(self) -> list[str | None]:
        """The keys as rows are compared by them: empty equals empty; None where a required part is empty or faulty."""
        keys: list[str | None] = [
            _COMPARED_SEPARATOR.join(parts)
            for parts in zip(*(map(_key_text, self.columns[name]) for name in self.report.key), strict=True)
        ]
        for name in self.report.key:
            if None in self.columns[name]:
                is_wanted = not self.report.column(name).optional
                for position, value in enumerate(self.columns[name]):
                    if value is None and (is_wanted or position in self.faults[name]):
                        keys[position] = None
        return keys

    def sum_of(self, column: Column, *, above: int | None = None) -> Decimal | None:
        """The sum of an amount or count, of the rows above a row of the file; None where a cell of it is faulty."""
        if self.place(column) is None:
            return None
        values: Sequence[Value] = self.columns[column.name]
        if above is not None:
            values = values[: bisect(self.rows, above, key=lambda row: row.number)]
        if any(position < len(values) for position in self.faults[column.name]):
            return None
        return sum((Decimal(value) for value in values if isinstance(value, Decimal | int)), Decimal(0))

    def finding(
        self, position: int, column: Column, *, rule: str, level: Level, message: str, expected: str | None
    ) -> Finding:
        """A finding at a cell of these rows."""
        row = self.rows[position]
        place = self.place(column)
        is_key = column.name in self.report.key
        return Finding(
            report=self.report.code,
            rule=rule,
            level=level,
            message=message,
            file=self.sheet.file,
            sheet=self.sheet.name,
            row_number=row.number,
            column_number=None if place is None else place + 1,
            header=column.header,
            key=self.display_key(position),
            value=None if place is None else shown_value(row.cell(place), column, is_key=is_key),
            expected=expected,
        )


def read_rows(report: Report, sheet: Sheet, layout: Layout) -> TypedRows:
    """Read every cell of the report's columns that are there."""
    # Rows may end early; what lies beyond their end is empty.
    columns = list(zip_longest(*(row.cells for row in layout.data)))
    columns += [(None,) * len(layout.data)] * (max(layout.columns.values(), default=-1) + 1 - len(columns))
    values: dict[str, list[Value]] = {}
    faults: dict[str, dict[int, CellFault]] = {}
    for column in report.columns:
        place = layout.columns.get(column.header)
        if place is None:
            values[column.name], faults[column.name] = [None] * len(layout.data), {}
        else:
            values[column.name], faults[column.name] = read_cells(columns[place], column, epoch_1904=sheet.epoch_1904)
    return TypedRows(report, sheet, layout, values, faults)


def _key_text(value: Value) -> str:
    return value if isinstance(value, str) else "" if value is None else _written(value)


def _written(value: int | Decimal | date) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def cell_findings(rows: TypedRows) -> list[Finding]:
    """The faults of single cells as findings (T01 to T05)."""
    return [
        rows.finding(
            position,
            column,
            rule=fault.rule,
            level=PackageRule[fault.rule].level,
            message=fault.message,
            expected=column.expected,
        )
        for column in rows.report.columns
        for position, fault in rows.faults[column.name].items()
    ]


def total_row_findings(rows: TypedRows) -> list[Finding]:
    """Total rows that do not hold the sum above them, or are not the last row (F06)."""
    findings: list[Finding] = []
    for total in rows.layout.totals:

        def finding(
            message: str, column: Column | None = None, expected: str | None = None, total: Row = total
        ) -> Finding:
            # What is wrong with the row as a whole is said where it calls itself a total row.
            mark = next(place for place, cell in enumerate(total.cells) if is_total_mark(cell))
            place = rows.place(column) if column else mark
            return Finding(
                report=rows.report.code,
                rule=PackageRule.F06.code,
                level=PackageRule.F06.level,
                message=message,
                file=rows.sheet.file,
                sheet=rows.sheet.name,
                row_number=total.number,
                column_number=None if place is None else place + 1,
                header=column.header if column else None,
                value=shown_value(total.cell(place), column) if column and place is not None else None,
                expected=expected,
            )

        if total.number != rows.layout.last_row:
            findings.append(finding("合计行必须是最后一行，请把它移到最后，或删除其下的内容。"))
            continue
        for column in rows.report.columns:
            place = rows.place(column)
            if place is None or not (column.type.is_amount or column.type is ColumnType.INT):
                continue
            if not cell_text(total.cell(place)):
                continue
            total_column = column.model_copy(update={"type": ColumnType.WAN, "max": None, "min": 0})
            stated = read_cell(total.cell(place), total_column)
            sum_above = rows.sum_of(column, above=total.number)
            if sum_above is None or stated == sum_above:
                continue
            expected = str(sum_above)
            findings.append(
                finding(f"合计行的{column.header}与各行之和{expected}不符，请核对。", column, expected=expected)
            )
    return findings


def header_findings(report: Report, sheet: Sheet, layout: Layout) -> list[Finding]:
    """Headers missing, doubled or misspelt (F02); unknown columns (F05)."""

    def finding(
        rule: PackageRule, message: str, column: int | None, header: str | None, expected: str | None = None
    ) -> Finding:
        return Finding(
            report=report.code,
            rule=rule.code,
            level=rule.level,
            message=message,
            file=sheet.file,
            sheet=sheet.name,
            row_number=layout.header_row or None,
            column_number=None if column is None else column + 1,
            header=header,
            expected=expected,
        )

    if not layout.header_row:
        message = f"前十行中找不到表头行，请使用模板的表头：{'、'.join(layout.missing)}。"
        return [finding(PackageRule.F02, message, None, None)]
    findings: list[Finding] = []
    for header in layout.missing:
        close = layout.misspelt.get(header)
        if close is None:
            message = f"缺少表头“{header}”，请补上这一列，表头与模板一致。"
        else:
            written = shown_text(cell_text(sheet.rows[layout.header_row - 1][close]))
            message = f"缺少表头“{header}”，疑似误写为“{written}”，请改为“{header}”。"
        findings.append(finding(PackageRule.F02, message, close, header, header))
    for header, columns in layout.doubled.items():
        places = "、".join(f"{column_letters(column + 1)}列" for column in columns)
        message = f"表头“{header}”重复出现在{places}，请只保留一列。"
        findings.append(finding(PackageRule.F02, message, columns[1], header, header))
    for column, header in sorted(layout.extra.items()):
        name = f"“{shown_text(header)}”" if header else f"没有表头的{column_letters(column + 1)}列"
        message = f"多出的列{name}不属于本报表，已忽略。"
        findings.append(finding(PackageRule.F05, message, column, shown_text(header) or None))
    return findings
