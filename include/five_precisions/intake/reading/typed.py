"""A report's rows, cell by cell as declared (docs/reports.md#types)."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain, repeat, zip_longest
from typing import Final, cast

from five_precisions.intake.findings import (
    KEY_SEPARATOR,
    Finding,
    shown_key_part,
    shown_value,
)
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.garbage import without_collection
from five_precisions.intake.reading.headers import Unit, is_own_unit, own_unit
from five_precisions.intake.reading.layout import Layout, Row
from five_precisions.intake.reading.sheet import Area
from five_precisions.reports import Column, Report
from five_precisions.reports.cells import Cell, CellFault, Value, cell_text, read_cells
from five_precisions.reports.level import Level

_COMPARED_SEPARATOR: Final = "\x1f"
_MOST_MERGED_CELLS: Final = 1_000_000
"""Of all merged areas that are looked at; no two of them lie over one another, unless somebody means harm."""
_ROWS_AT_ONCE: Final = 1_000
NAMED_ELSEWHERE: Final = CellFault("", "")
"""Of a cell that does not count because of what a finding on its column, or on many cells, says."""


@dataclass(slots=True)
class TypedRows:
    """The data rows of one report, column by column: values, None where empty or faulty, and the faults."""

    report: Report
    sheet: Sheet
    layout: Layout
    columns: dict[str, list[Value]]
    faults: dict[str, dict[int, CellFault]]
    """By column and position from 0."""
    merged_away: dict[Area, list[tuple[int, int]]] = field(default_factory=dict)
    """Merged areas in which cells have nothing of their own: row and column from 0."""
    other_units: dict[Column, Unit] = field(default_factory=dict)
    """Columns whose numbers the form gives in another unit than the declared one."""
    uncomputed: list[tuple[int, int]] = field(default_factory=list)
    """Formulas of the data without a value: row and column from 0."""

    @property
    def rows(self) -> list[Row]:
        """The rows as delivered."""
        return self.layout.data

    def place(self, column: Column) -> int | None:
        """Where the column stands in the file, from 0; None where its header is missing."""
        return self.layout.headers.columns.get(column.header)

    def header_at(self, place: int) -> str | None:
        """The header of the report's column that stands there; None of any other."""
        return next((header for header, own in self.layout.headers.columns.items() if own == place), None)

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
        # A whole number, too, adds to a decimal one.
        return sum(cast(list[Decimal], [value for value in values if value is not None]), Decimal(0))

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


@without_collection()
def read_rows(report: Report, sheet: Sheet, layout: Layout) -> TypedRows:
    """Read every cell of the report's columns that are there."""
    places = layout.headers.columns
    cells = _by_column(layout.data, max(places.values(), default=-1) + 1)
    values: dict[str, list[Value]] = {}
    faults: dict[str, dict[int, CellFault]] = {}
    for column in report.columns:
        place = places.get(column.header)
        if place is None:
            values[column.name], faults[column.name] = [None] * len(layout.data), {}
        else:
            values[column.name], faults[column.name] = read_cells(cells[place], column, epoch_1904=sheet.epoch_1904)
    rows = TypedRows(report, sheet, layout, values, faults)
    _set_aside(rows)
    return rows


def _by_column(rows: Sequence[Row], width: int) -> list[list[Cell]]:
    """The first columns of rows, which may end early: what lies beyond their end is empty."""
    columns: list[list[Cell]] = [[] for _ in range(width)]
    # In pieces, for rows that lie far apart in memory are slow to come back to.
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        piece = rows[begin : begin + _ROWS_AT_ONCE]
        cells = chain(zip_longest(*(row.cells for row in piece)), repeat((None,) * len(piece)))
        for column, own in zip(columns, cells, strict=False):
            column.extend(own)
    return columns


def _set_aside(rows: TypedRows) -> None:
    """Let nothing be said of cells that are merged away or not computed, nor of numbers in another unit."""
    columns = {place: column.name for column in rows.report.columns if (place := rows.place(column)) is not None}
    if rows.sheet.merged or rows.sheet.uncomputed:
        positions = {row.number: position for position, row in enumerate(rows.rows)}
        rows.merged_away = _merged_away(rows, columns)
        lost = [place for places in rows.merged_away.values() for place in places]
        rows.uncomputed = sorted(
            place for place in rows.sheet.uncomputed if place[0] + 1 in positions and place[1] in columns
        )
        for row, place in (*lost, *rows.uncomputed):
            rows.faults[columns[place]][positions[row + 1]] = NAMED_ELSEWHERE
    rows.other_units = _other_units(rows)
    for column in rows.other_units:
        own, faults = rows.columns[column.name], rows.faults[column.name]
        rows.faults[column.name] = {position: faults.get(position, NAMED_ELSEWHERE) for position in range(len(own))}
        rows.columns[column.name] = [None] * len(own)


def _merged_away(rows: TypedRows, columns: Mapping[int, str]) -> dict[Area, list[tuple[int, int]]]:
    """Merged areas of the data, with the cells of each that have nothing of their own."""
    numbers = [row.number for row in rows.rows]
    found: dict[Area, list[tuple[int, int]]] = {}
    left = _MOST_MERGED_CELLS
    for area in sorted(rows.sheet.merged):
        begin, end = bisect_left(numbers, area.first_row + 1), bisect(numbers, area.last_row + 1)
        own = [column for column in columns if area.first_column <= column <= area.last_column]
        left -= (end - begin) * len(own)
        first = rows.sheet.rows[area.first_row][area.first_column : area.first_column + 1] if own else []
        if left < 0 or not any(map(cell_text, first)):
            # Nothing was merged away where the whole area is empty.
            continue
        lost = [
            (row.number - 1, column)
            for row in rows.rows[begin:end]
            for column in own
            if (row.number - 1, column) != (area.first_row, area.first_column) and not cell_text(row.cell(column))
        ]
        if lost:
            found[area] = lost
    return found


def _other_units(rows: TypedRows) -> dict[Column, Unit]:
    """What headers say of their columns, and a line above them of all amounts that there are."""
    units, line = rows.layout.headers.units, rows.layout.unit_line
    found = {
        column: unit
        for column in rows.report.columns
        if (unit := units.get(column.header)) is not None and not is_own_unit(unit, column)
    }
    # Nothing is a thousandth of nothing, and what a header says of its own column counts more than the line.
    amounts = [
        column
        for column in rows.report.columns
        if column.type.is_amount
        and column.header not in units
        and (any(rows.columns[column.name]) or rows.faults[column.name])
    ]
    if line is not None and amounts and not {own_unit(column) for column in amounts} & set(line.units):
        found = dict.fromkeys(amounts, line.units[0]) | found
    return found


def _key_text(value: Value) -> str:
    return value if isinstance(value, str) else "" if value is None else _written(value)


def _written(value: int | Decimal | date) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
