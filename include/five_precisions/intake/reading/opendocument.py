"""OpenDocument spreadsheets (.ods), read as a stream: a few bytes of them may stand for a million rows."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from five_precisions.intake.reading.delivered_xml import Reading, read_xml
from five_precisions.intake.reading.merged_areas import MOST_AREAS, areas_within
from five_precisions.intake.reading.sheet import (
    MOST_SHEETS,
    Area,
    Limits,
    Sheet,
    as_percent,
    damaged,
    refuse_too_large,
    too_many_cells,
    too_much_text,
)
from five_precisions.reports.cells import Cell

_CONTENT: Final = "content.xml"
_CHUNK: Final = 1 << 18
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_STYLE: Final = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
_TEXT: Final = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_CALC_TYPE: Final = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_CELLS: Final = frozenset({_TABLE + "table-cell", _TABLE + "covered-table-cell"})
_NUMBERS: Final = frozenset({"float", "percentage", "currency"})
_EPOCH_1904: Final = "1904-01-01"
_MOST_PIECES: Final = 100_000
"""Of the text of one cell: its paragraphs, and what blanks and line breaks cut it into."""


_MOST_UNCOMPUTED: Final = 100_000
"""Formulas of one sheet without a stored value that are told of."""
_MOST_HIDDEN: Final = 10_000
"""Styles of sheets that are not shown."""


def is_opendocument(archive: zipfile.ZipFile) -> bool:
    """Whether the zip is a spreadsheet of this kind."""
    return _CONTENT in archive.namelist()


def read_opendocument(name: str, archive: zipfile.ZipFile, limits: Limits) -> list[Sheet]:
    """The sheets of the document.

    Raises:
        UnreadableFileError: it is damaged or too large (F01).
    """
    reading = _Sheets(limits)
    try:
        with archive.open(_CONTENT) as stream:
            read_xml(iter(lambda: stream.read(_CHUNK), b""), reading)
    except (ValueError, OverflowError) as error:
        # An attribute that is no number.
        raise damaged() from error
    if not reading.sheets:
        raise damaged()
    return [
        Sheet(
            name,
            each.title,
            each.rows,
            reading.epoch_1904,
            is_hidden=each.style in reading.hidden,
            merged=areas_within(each.merged, len(each.rows)),
            uncomputed=frozenset(each.uncomputed),
        )
        for each in reading.sheets
    ]


@dataclass(slots=True)
class _Table:
    """One sheet."""

    title: str
    style: str
    rows: list[list[Cell]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    uncomputed: list[tuple[int, int]] = field(default_factory=list)


class _Sheets(Reading):
    """Rows and cells as they come by; what repeats nothing is only counted until something follows it."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.sheets: list[_Table] = []
        self.epoch_1904 = False
        self.hidden: set[str] = set()
        """Styles of sheets that are not shown."""
        self._style = ""
        self._limits = limits
        self._table_depth = self._cell_depth = self._paragraph_depth = 0
        self._row: list[Cell] | None = None
        self._row_repeats = self._cell_repeats = 1
        self._empty_rows = self._empty_cells = 0
        self._cell: dict[str, str] = {}
        self._pieces: list[str] = []
        """Of the text of the cell; before each paragraph but the first stands a line break."""
        self._has_paragraph = False
        self._count = self._text = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self._cell_depth:
            self._start_in_cell(name, attributes)
        elif name == _TABLE + "table" and not self._table_depth:
            self._table_depth = self.depth
            self._empty_rows = 0
            if len(self.sheets) == MOST_SHEETS:
                raise damaged()
            self.sheets.append(_Table(attributes.get(_TABLE + "name", ""), attributes.get(_TABLE + "style-name", "")))
        elif name == _TABLE + "table-row" and self._table_depth:
            self._row, self._empty_cells = [], 0
            self._row_repeats = _repeats(attributes, "number-rows-repeated")
        elif name in _CELLS and self._row is not None:
            self._cell_depth, self._cell, self._pieces, self._has_paragraph = self.depth, attributes, [], False
            self._cell_repeats = _repeats(attributes, "number-columns-repeated")
        else:
            self._start_beside_cells(name, attributes)

    def _start_beside_cells(self, name: str, attributes: dict[str, str]) -> None:
        if name == _TABLE + "null-date":
            self.epoch_1904 = attributes.get(_TABLE + "date-value") == _EPOCH_1904
        elif name == _STYLE + "style":
            self._style = attributes.get(_STYLE + "name", "")
        elif name == _STYLE + "table-properties" and attributes.get(_TABLE + "display") == "false":
            self.hidden.add(self._style)
            if len(self.hidden) > _MOST_HIDDEN:
                raise damaged()

    def _start_in_cell(self, name: str, attributes: dict[str, str]) -> None:
        if name == _TEXT + "p" and self.depth == self._cell_depth + 1:
            # Paragraphs of a comment lie deeper.
            self._paragraph_depth = self.depth
            if self._has_paragraph:
                self.characters("\n")
            self._has_paragraph = True
        elif self._paragraph_depth:
            if name == _TEXT + "s":
                self.characters(" " * min(_repeats(attributes, "c", _TEXT), 1000))
            elif name == _TEXT + "tab":
                self.characters("\t")
            elif name == _TEXT + "line-break":
                self.characters("\n")

    def characters(self, text: str) -> None:
        if self._paragraph_depth:
            self._pieces.append(text)
            if len(self._pieces) > _MOST_PIECES:
                raise damaged()
            self._count_text(len(text))

    def _count_text(self, length: int) -> None:
        self._text += length
        if self._text > self._limits.text_bytes:
            raise too_much_text(self._limits)

    def end(self, name: str) -> None:
        if self.depth == self._paragraph_depth:
            self._paragraph_depth = 0
        elif self.depth == self._cell_depth:
            self._cell_depth = 0
            self._end_cell()
        elif self.depth == self._table_depth:
            self._table_depth = 0
        elif name == _TABLE + "table-row" and self._row is not None and not self._cell_depth:
            self._end_row(self._row)
            self._row = None
        self.depth -= 1

    def _end_cell(self) -> None:
        assert self._row is not None  # noqa: S101 - a cell begins in a row only
        text = "".join(self._pieces)
        value = _value(self._cell, text)
        if isinstance(value, str) and value is not text:
            self._count_text(len(value))
        self._note(self._cell, value)
        if value is None:
            self._empty_cells += self._cell_repeats
            return
        width = len(self._row) + self._empty_cells + self._cell_repeats
        refuse_too_large(self.sheets[-1].title, 0, width, self._limits)
        self._row += [None] * self._empty_cells + [value] * self._cell_repeats
        self._empty_cells = 0

    def _note(self, cell: dict[str, str], value: Cell) -> None:
        """What is told of the cell beside its value; of cells that are repeated, only of the first."""
        assert self._row is not None  # noqa: S101 - a cell begins in a row only
        table = self.sheets[-1]
        row, column = len(table.rows) + self._empty_rows, len(self._row) + self._empty_cells
        # An empty text is a value: where the type says that it is one, a program has computed it.
        is_uncomputed = value is None and _TABLE + "formula" in cell and cell.get(_OFFICE + "value-type") != "string"
        if is_uncomputed and len(table.uncomputed) < _MOST_UNCOMPUTED:
            table.uncomputed.append((row, column))
        if _TABLE + "number-columns-spanned" in cell or _TABLE + "number-rows-spanned" in cell:
            last_row = row + _repeats(cell, "number-rows-spanned") - 1
            last_column = column + _repeats(cell, "number-columns-spanned") - 1
            if len(table.merged) < MOST_AREAS:
                table.merged.append(Area(row, column, last_row, last_column))

    def _end_row(self, row: list[Cell]) -> None:
        if not row:
            self._empty_rows += self._row_repeats
            return
        title, rows = self.sheets[-1].title, self.sheets[-1].rows
        refuse_too_large(title, len(rows) + self._empty_rows + self._row_repeats, len(row), self._limits)
        self._count += self._empty_rows + len(row) * self._row_repeats
        if self._count > self._limits.cells:
            raise too_many_cells(self._limits)
        # One list for all that are alike: a few bytes may stand for a million of them.
        rows += [[]] * self._empty_rows
        rows += [row] * self._row_repeats
        self._empty_rows = 0


def _repeats(attributes: dict[str, str], name: str, namespace: str = _TABLE) -> int:
    return max(1, int(attributes.get(namespace + name, "1")))


def _value(cell: dict[str, str], text: str) -> Cell:
    kind = cell.get(_OFFICE + "value-type")
    if cell.get(_CALC_TYPE) == "error":
        return text or "#VALUE!"
    if kind in _NUMBERS:
        number = float(cell[_OFFICE + "value"]) if _OFFICE + "value" in cell else text or None
        return as_percent(number) if kind == "percentage" else number
    if kind == "date":
        return _date(cell.get(_OFFICE + "date-value", ""))
    if kind == "boolean":
        return cell.get(_OFFICE + "boolean-value") == "true"
    if kind == "string":
        return cell.get(_OFFICE + "string-value", text) or None
    return text or None


def _date(written: str) -> Cell:
    try:
        return date.fromisoformat(written) if len(written) == len("2019-06-30") else datetime.fromisoformat(written)
    except ValueError:
        return written or None
