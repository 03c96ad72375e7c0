"""OpenDocument spreadsheets (.ods), read as a stream: a few bytes of them may stand for a million rows."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from typing import Final

from five_precisions.intake.reading.delivered_xml import Reading, read_xml
from five_precisions.intake.reading.sheet import (
    MOST_SHEETS,
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
_TEXT: Final = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_CALC_TYPE: Final = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_CELLS: Final = frozenset({_TABLE + "table-cell", _TABLE + "covered-table-cell"})
_NUMBERS: Final = frozenset({"float", "percentage", "currency"})
_EPOCH_1904: Final = "1904-01-01"
_MOST_PIECES: Final = 100_000
"""Of the text of one cell: its paragraphs, and what blanks and line breaks cut it into."""


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
    return [Sheet(name, title, rows, reading.epoch_1904) for title, rows in reading.sheets]


class _Sheets(Reading):
    """Rows and cells as they come by; what repeats nothing is only counted until something follows it."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.sheets: list[tuple[str, list[list[Cell]]]] = []
        self.epoch_1904 = False
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
            self.sheets.append((attributes.get(_TABLE + "name", ""), []))
        elif name == _TABLE + "table-row" and self._table_depth:
            self._row, self._empty_cells = [], 0
            self._row_repeats = _repeats(attributes, "number-rows-repeated")
        elif name in _CELLS and self._row is not None:
            self._cell_depth, self._cell, self._pieces, self._has_paragraph = self.depth, attributes, [], False
            self._cell_repeats = _repeats(attributes, "number-columns-repeated")
        elif name == _TABLE + "null-date":
            self.epoch_1904 = attributes.get(_TABLE + "date-value") == _EPOCH_1904

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
        if value is None:
            self._empty_cells += self._cell_repeats
            return
        width = len(self._row) + self._empty_cells + self._cell_repeats
        refuse_too_large(self.sheets[-1][0], 0, width, self._limits)
        self._row += [None] * self._empty_cells + [value] * self._cell_repeats
        self._empty_cells = 0

    def _end_row(self, row: list[Cell]) -> None:
        if not row:
            self._empty_rows += self._row_repeats
            return
        title, rows = self.sheets[-1]
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
