"""XML spreadsheets of 2003 (SpreadsheetML), which systems write under the name of a workbook.

See docs/intake.md#the-package. They are read as a stream: a few bytes of them may stand a million rows apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final

from five_precisions.intake.reading.delivered_xml import Reading, read_xml
from five_precisions.intake.reading.number_formats import is_percent
from five_precisions.intake.reading.sheet import (
    MOST_AREAS,
    MOST_SHEETS,
    Area,
    Limits,
    Sheet,
    as_percent,
    damaged,
    refuse_too_large,
    too_many_areas,
    too_many_cells,
    too_much_text,
)
from five_precisions.reports.cells import Cell

_SS: Final = "urn:schemas-microsoft-com:office:spreadsheet "
_EXCEL: Final = "urn:schemas-microsoft-com:office:excel "
_CHUNK: Final = 1 << 18
_DEFAULT_STYLE: Final = "Default"
_MOST_STYLES: Final = 100_000
_MOST_PARENTS: Final = 16
"""Of a style, one above the other."""
_NAMED_PERCENT: Final = "Percent"
_FIRST_YEAR: Final = 1900
"""An earlier one stands before a time of day that has no date."""


def read_spreadsheetml(name: str, content: bytes, limits: Limits) -> list[Sheet]:
    """The sheets of the document.

    Raises:
        UnreadableFileError: it is damaged or too large, or declares entities (F01).
    """
    content = content.lstrip()
    reading = _Workbook(name, limits)
    try:
        read_xml((content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK)), reading)
    except (ValueError, OverflowError) as error:
        # An attribute that is no number.
        raise damaged() from error
    if not reading.sheets:
        raise damaged()
    return list(reading.as_sheets())


@dataclass(slots=True)
class _Worksheet:
    """A sheet as far as it has been read."""

    title: str
    style: str | None = None
    """Of the cells that have none of their own."""
    column_styles: dict[int, str] = field(default_factory=dict)
    rows: list[list[Cell]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    uncomputed: set[tuple[int, int]] = field(default_factory=set)
    is_hidden: bool = False
    next_row: int = 0
    next_column: int = 0
    """From 0; of the elements that say how columns look."""


@dataclass(slots=True)
class _OpenCell:
    """A cell whose content is being read."""

    column: int
    style: str | None
    is_formula: bool
    kind: str = ""
    """What its data is; empty while it has none."""


class _Workbook(Reading):
    """Rows and cells as they come by."""

    def __init__(self, name: str, limits: Limits) -> None:
        super().__init__()
        self.sheets: list[_Worksheet] = []
        self._name = name
        self._limits = limits
        self._epoch_1904 = False
        self._formats: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._style = ""
        self._row: list[Cell] = []
        self._row_style: str | None = None
        self._row_at = self._next_column = 0
        self._cell: _OpenCell | None = None
        self._cell_depth = self._text_depth = 0
        self._pieces: list[str] = []
        self._count = self._text = 0

    def as_sheets(self) -> Iterator[Sheet]:
        """The sheets that have been read."""
        for sheet in self.sheets:
            yield Sheet(
                self._name,
                sheet.title,
                sheet.rows,
                self._epoch_1904,
                is_hidden=sheet.is_hidden,
                merged=tuple(sheet.merged),
                uncomputed=frozenset(sheet.uncomputed),
            )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if self.depth == 1 and name != _SS + "Workbook":
            raise damaged()
        if self._cell is not None:
            if name == _SS + "Data" and self.depth == self._cell_depth + 1:
                # Data of a comment lies deeper.
                self._cell.kind = attributes.get(_SS + "Type", "String")
                self._begin_text()
        elif name == _SS + "Worksheet":
            if len(self.sheets) == MOST_SHEETS:
                raise damaged()
            self.sheets.append(_Worksheet(attributes.get(_SS + "Name", "")))
        elif name == _EXCEL + "Date1904":
            self._epoch_1904 = True
        elif not self.sheets:
            self._start_style(name, attributes)
        else:
            self._start_in_sheet(name, attributes, self.sheets[-1])

    def characters(self, text: str) -> None:
        if self._text_depth:
            self._pieces.append(text)
            self._text += len(text)
            if self._text > self._limits.text_bytes:
                raise too_much_text(self._limits)

    def end(self, name: str) -> None:
        if self.depth == self._text_depth:
            self._text_depth = 0
            if name == _EXCEL + "Visible":
                self.sheets[-1].is_hidden = "".join(self._pieces).strip() in ("SheetHidden", "SheetVeryHidden")
        elif self._cell is not None and self.depth == self._cell_depth:
            self._end_cell(self._cell)
            self._cell = None
        elif name == _SS + "Row" and self.sheets and self._cell is None:
            self._end_row(self.sheets[-1])
        self.depth -= 1

    def _begin_text(self) -> None:
        self._text_depth, self._pieces = self.depth, []

    def _start_style(self, name: str, attributes: dict[str, str]) -> None:
        if name == _SS + "Style":
            self._style = attributes.get(_SS + "ID", "")
            if _SS + "Parent" in attributes:
                self._parents[self._style] = attributes[_SS + "Parent"]
        elif name == _SS + "NumberFormat":
            self._formats[self._style] = attributes.get(_SS + "Format", "General")
        if len(self._formats) + len(self._parents) > _MOST_STYLES:
            raise damaged()

    def _start_in_sheet(self, name: str, attributes: dict[str, str], sheet: _Worksheet) -> None:
        if name == _SS + "Table":
            sheet.style = attributes.get(_SS + "StyleID")
        elif name == _SS + "Column":
            first = _place(attributes, sheet.next_column)
            sheet.next_column = first + 1 + _number(attributes, "Span")
            if _SS + "StyleID" in attributes:
                last = min(sheet.next_column, self._limits.columns)
                sheet.column_styles |= dict.fromkeys(range(first, last), attributes[_SS + "StyleID"])
        elif name == _SS + "Row":
            self._begin_row(attributes, sheet)
        elif name == _SS + "Cell":
            self._begin_cell(attributes, sheet)
        elif name == _EXCEL + "Visible":
            self._begin_text()

    def _begin_row(self, attributes: dict[str, str], sheet: _Worksheet) -> None:
        # Nothing is made of empty rows before something follows them.
        at = _place(attributes, sheet.next_row)
        self._row, self._row_style = [], attributes.get(_SS + "StyleID")
        sheet.next_row = at + 1 + _number(attributes, "Span")
        self._row_at, self._next_column = at, 0

    def _begin_cell(self, attributes: dict[str, str], sheet: _Worksheet) -> None:
        column = _place(attributes, self._next_column)
        across, down = _number(attributes, "MergeAcross"), _number(attributes, "MergeDown")
        style = attributes.get(_SS + "StyleID") or self._row_style or sheet.column_styles.get(column) or sheet.style
        self._cell = _OpenCell(column, style, is_formula=_SS + "Formula" in attributes)
        self._cell_depth, self._pieces = self.depth, []
        self._next_column = column + 1 + across
        if across or down:
            if len(sheet.merged) == MOST_AREAS:
                raise too_many_areas()
            last_row, last_column = self._row_at + down, column + across
            sheet.merged.append(
                Area(self._row_at, column, min(last_row, self._limits.rows), min(last_column, self._limits.columns))
            )

    def _end_cell(self, cell: _OpenCell) -> None:
        sheet = self.sheets[-1]
        value = self._value(cell, "".join(self._pieces)) if cell.kind else None
        if value is None:
            if cell.is_formula:
                refuse_too_large(sheet.title, self._row_at + 1, cell.column + 1, self._limits)
                self._count += 1
                sheet.uncomputed.add((self._row_at, cell.column))
            return
        refuse_too_large(sheet.title, self._row_at + 1, cell.column + 1, self._limits)
        self._row += [None] * (cell.column - len(self._row))
        self._row.append(value)

    def _end_row(self, sheet: _Worksheet) -> None:
        if not self._row:
            return
        gap = self._row_at - len(sheet.rows)
        self._count += gap + len(self._row)
        if self._count > self._limits.cells:
            raise too_many_cells(self._limits)
        sheet.rows += [[]] * gap
        sheet.rows.append(self._row)
        self._row = []

    def _value(self, cell: _OpenCell, text: str) -> Cell:
        match cell.kind:
            case "Number":
                number = _finite(text)
                if number is None:
                    return text.strip() or None
                return as_percent(number) if self._is_percent(cell.style, number) else number
            case "Boolean":
                return text.strip().casefold() in ("1", "true")
            case "DateTime":
                return _moment(text.strip())
            case _:
                return text or None

    def _is_percent(self, style: str | None, number: float) -> bool:
        style = style or _DEFAULT_STYLE
        for _ in range(_MOST_PARENTS):
            if style in self._formats:
                return self._formats[style] == _NAMED_PERCENT or is_percent(self._formats[style], number)
            if style not in self._parents:
                break
            style = self._parents[style]
        return False


def _number(attributes: dict[str, str], name: str) -> int:
    number = int(attributes.get(_SS + name, "0"))
    if number < 0:
        raise damaged()
    return number


def _place(attributes: dict[str, str], following: int) -> int:
    """Where a row, column or cell stands, from 0: where it says so, or behind the one before it."""
    if _SS + "Index" not in attributes:
        return following
    place = _number(attributes, "Index") - 1
    if place < following:
        # Nothing stands where something stands already.
        raise damaged()
    return place


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(written: str) -> Cell:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written or None
    if moment.year < _FIRST_YEAR:
        return str(moment.time())
    return moment.date() if moment.time() == time() else moment
