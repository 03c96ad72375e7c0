"""Where a table stands in a sheet: its headers under title rows, its data, and the rows that are none.

See docs/intake.md#rows-that-are-no-data; F02, F05, F06, F11, F12.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Final

from five_precisions.intake.reading.garbage import without_collection
from five_precisions.intake.reading.headers import (
    Unit,
    WantedHeaders,
    is_own_unit,
    known_header,
    normal_header,
    note_below,
    recognise,
    unit_of_form,
)
from five_precisions.intake.reading.marks import Marks, RowKind
from five_precisions.intake.reading.sheet import Area, Sheet
from five_precisions.reports import Column, ColumnType, Report
from five_precisions.reports.cells import Cell, CellFault, cell_text, read_cell, says_nothing

ROWS_SEARCHED_FOR_HEADERS: Final = 10
"""Up to nine rows of title, unit and date stand above the header row."""
_CLOSE_SPELLING: Final = 0.6
_NUMBERED_LINE: Final = re.compile(
    r"\s*(?:[(（]?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2}|[a-zA-Z])[)）.、．]|[①-⑳]|第?[一二三四五六七八九十]{1,2}[是，,、])"
)
_SHORTEST_PROSE: Final = 8
_DAY: Final = re.compile("[0-9]{4}[-年./][0-9]{1,2}[-月./][0-9]{1,2}日?")
_A_DAY: Final = Column(header="日期", name="day", type=ColumnType.DATE, optional=True)
_COUNT: Final = re.compile("[0-9]{1,4}[^0-9A-Za-z]{0,3}")
_SUMS: Final = frozenset({RowKind.TOTAL, RowKind.SUBTOTAL})
_WITHOUT_NUMBERS: Final = frozenset({RowKind.SIGNATURE, RowKind.NOTE, RowKind.END, RowKind.PAGE})
"""Rows that are words: one that is filled in all over is none of them."""


@dataclass(frozen=True)
class TableForm:
    """A table that is looked for in a sheet: its headers, and which of them tell one row from another."""

    headers: WantedHeaders
    keys: tuple[str, ...]
    """Headers of the columns that name a row."""

    @classmethod
    def of(cls, report: Report) -> TableForm:
        """The table of a report."""
        return cls(WantedHeaders.of(report.columns), tuple(report.column(name).header for name in report.key))

    @cached_property
    def identifying(self) -> Mapping[str, Column]:
        """Columns, by header, in which a row that is data has something of its own: keys, dates and codes."""
        return {
            header: column
            for header, column in self.headers.columns.items()
            if header in self.keys or column.code or column.type is ColumnType.DATE
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file that is not empty."""

    number: int
    """As in the file, from 1."""
    cells: Sequence[Cell]

    def cell(self, column: int) -> Cell:
        """The cell of a column from 0; nothing beyond the row's end."""
        return self.cells[column] if column < len(self.cells) else None

    def texts(self) -> dict[int, str]:
        """What a person reads in its cells, by column from 0; empty ones are left out."""
        return {column: text for column, cell in enumerate(self.cells) if (text := cell_text(cell))}


@dataclass(slots=True)
class Headers:
    """What was found of the wanted headers."""

    row: int = 0
    """The last row of the headers as in the file, from 1; 0 = none was found."""
    rows: int = 1
    """Two where headers stand in two rows, those of single columns merged down."""
    texts: dict[int, str] = field(default_factory=dict)
    """Column from 0 → header as delivered."""
    columns: dict[str, int] = field(default_factory=dict)
    """Wanted header → column from 0, its first place where it stands twice."""
    missing: list[str] = field(default_factory=list)
    misspelt: dict[str, int] = field(default_factory=dict)
    """Missing header → column from 0 of one that is nearly it."""
    doubled: dict[str, list[int]] = field(default_factory=dict)
    extra: dict[int, str] = field(default_factory=dict)
    """Column from 0 → its header, empty where cells stand without one."""
    units: dict[str, Unit] = field(default_factory=dict)
    """Wanted header → the unit that is written beside it."""


@dataclass(frozen=True, slots=True)
class UnitLine:
    """What a row above the headers says of the unit of the form."""

    row_number: int
    column: int
    """From 0, where it stands."""
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is no data, and why."""

    row: Row
    kind: RowKind
    column: int
    """From 0, of the cell that shows it."""


@dataclass(slots=True)
class Layout:
    """The headers, and the rows below them."""

    headers: Headers
    data: list[Row] = field(default_factory=list)
    totals: list[LeftOut] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    last_row: int = 0
    """Number of the last row that is data or a total."""
    unit_line: UnitLine | None = None


def lay_out(sheet: Sheet, form: TableForm, marks: Marks) -> Layout:
    """Find the wanted headers among the first ten rows, in the row that has most of them, and what stands below."""
    layout = Layout(find_headers(sheet.rows, form.headers, sheet.merged))
    if layout.headers.row:
        layout.unit_line = _unit_line(sheet.rows[: layout.headers.row - layout.headers.rows])
        with without_collection():
            _Sorting(sheet, form, marks, layout).sort()
    return layout


def _unit_line(rows: Sequence[Sequence[Cell]]) -> UnitLine | None:
    for number, cells in enumerate(rows, start=1):
        texts = Row(number, cells).texts()
        if units := unit_of_form(texts.values()):
            said = [column for column, text in texts.items() if units[0].name.removesuffix("元") in text]
            return UnitLine(number, said[-1] if said else 0, units)
    return None


# Headers


def find_headers(rows: Sequence[Sequence[Cell]], wanted: WantedHeaders, merged: Sequence[Area] = ()) -> Headers:
    """Find the wanted headers among the first ten rows.

    Args:
        rows: Of a sheet, from its first.
        wanted: What is looked for.
        merged: Merged cells of the sheet.
    """
    lines = [_HeaderLine.of(cells, wanted) for cells in rows[: ROWS_SEARCHED_FOR_HEADERS + 1]]
    best: tuple[int, int, _HeaderLine] | None = None
    for number, line in enumerate(lines[:ROWS_SEARCHED_FOR_HEADERS], start=1):
        if line.count() > (best[2].count() if best else 0):
            best = number, 1, line
    for number, (upper, lower) in enumerate(pairwise(lines), start=2):
        both = _in_two_rows(upper, lower, [area for area in merged if area.first_row == number - 2], wanted)
        if both is not None and both.count() > (best[2].count() if best else 0):
            best = number, 2, both
    if best is None:
        return Headers(missing=list(wanted.headers))
    number, height, line = best
    headers = _headers(number, height, line, wanted)
    if number < len(rows):
        _take_notes_below(headers, Row(number + 1, rows[number]).texts(), wanted)
    return headers


@dataclass(slots=True)
class _HeaderLine:
    """A row as one of headers: its texts, and which of them are wanted."""

    texts: dict[int, str]
    found: dict[int, tuple[str, Unit | None]]

    @classmethod
    def of(cls, cells: Sequence[Cell], wanted: WantedHeaders) -> _HeaderLine:
        texts = Row(0, cells).texts()
        found = {
            column: header
            for column, text in texts.items()
            if isinstance(cells[column], str) and (header := recognise(text, wanted)) is not None
        }
        return cls(texts, found)

    def count(self) -> int:
        return len({header for header, _ in self.found.values()})


def _in_two_rows(
    upper: _HeaderLine, lower: _HeaderLine, merged: Sequence[Area], wanted: WantedHeaders
) -> _HeaderLine | None:
    """Two rows as one: of a column the lower one's header, or the upper one's where nothing stands below it."""
    if not upper.found or not lower.found or any(column in lower.texts for column in upper.found):
        return None
    both = _HeaderLine({**upper.texts, **lower.texts}, {**upper.found, **lower.found})
    for column, text in lower.texts.items():
        if column in lower.found:
            continue
        # 贷款 over 余额 is 贷款余额.
        group = next((area for area in merged if area.first_column <= column <= area.last_column), None)
        above = upper.texts.get(group.first_column if group else column, "")
        both.texts[column] = above + text
        if (header := recognise(above + text, wanted)) is not None:
            both.found[column] = header
    for area in merged:
        # What stands over a group of columns is no header of its first.
        if area.last_row == area.first_row and area.first_column not in lower.texts:
            both.texts.pop(area.first_column, None)
    return both


def _headers(number: int, height: int, line: _HeaderLine, wanted: WantedHeaders) -> Headers:
    headers = Headers(row=number, rows=height, texts=line.texts)
    places: dict[str, list[int]] = {}
    for column, (header, _) in line.found.items():
        places.setdefault(header, []).append(column)
    for header, columns in places.items():
        # Beside the column in its own unit, the same in another one is none of the report's.
        declared = wanted.columns.get(header)
        own = [column for column in columns if is_own_unit(line.found[column][1], declared)] or columns
        for column in set(columns) - set(own):
            headers.extra[column] = line.texts[column]
        headers.columns[header] = own[0]
        if len(own) > 1:
            headers.doubled[header] = own
        if (unit := line.found[own[0]][1]) is not None:
            headers.units[header] = unit
    headers.extra |= {column: text for column, text in line.texts.items() if column not in line.found}
    headers.missing = [header for header in wanted.headers if header not in places]
    _match_other_months(headers, wanted)
    _match_misspelt(headers)
    return headers


def _take_notes_below(headers: Headers, texts: Mapping[int, str], wanted: WantedHeaders) -> None:
    """A row below the headers that holds notes on them, as 元, % or 必填, belongs to them."""
    columns = {place: wanted.columns[header] for header, place in headers.columns.items() if header in wanted.columns}
    notes = {place: note_below(text, columns[place]) for place, text in texts.items() if place in columns}
    if not notes or len(notes) < len(texts) or not all(is_note for is_note, _ in notes.values()):
        return
    headers.row += 1
    headers.rows += 1
    for place, (_, unit) in notes.items():
        if unit is not None:
            headers.units[columns[place].header] = unit


def _match_other_months(headers: Headers, wanted: WantedHeaders) -> None:
    """What a missing header was called before, or is called later, counts as nearly it."""
    for missing in headers.missing:
        column = wanted.columns.get(missing)
        others = {} if column is None else {normal_header(each): each for each in column.all_headers if each != missing}
        place = next((place for place, text in headers.extra.items() if known_header(text, others)), None)
        if place is not None:
            headers.misspelt[missing] = place
            del headers.extra[place]


def _match_misspelt(headers: Headers) -> None:
    for missing in headers.missing:
        if missing in headers.misspelt:
            continue
        candidates = {normal_header(text): column for column, text in headers.extra.items()}
        if close := difflib.get_close_matches(normal_header(missing), candidates, n=1, cutoff=_CLOSE_SPELLING):
            headers.misspelt[missing] = candidates[close[0]]
            del headers.extra[candidates[close[0]]]


# Rows


def is_empty(cells: Sequence[Cell]) -> bool:
    """Whether all cells of a row are empty."""
    # Most rows begin with a letter or a digit, and there may be a million of them.
    for cell in cells:
        if cell is not None and cell != "" and (not isinstance(cell, str) or cell[0].isalnum() or cell_text(cell)):
            return False
    return True


def _is_numbered_line(text: str) -> bool:
    """Whether a text reads as a line of a list: 1、本表按月报送."""
    return len(text) >= _SHORTEST_PROSE and _NUMBERED_LINE.match(text) is not None


class _Sorting:
    """Which rows below the headers are data, which are sums, and which are left out."""

    def __init__(self, sheet: Sheet, form: TableForm, marks: Marks, layout: Layout) -> None:
        self._sheet = sheet
        self._marks = marks
        self._layout = layout
        places = layout.headers.columns
        self._keys = [places[header] for header in form.keys if header in places]
        self._identifying = {places[header]: column for header, column in form.identifying.items() if header in places}
        self._wanted = frozenset(places.values())
        above = (text for row in sheet.rows[: layout.headers.row] for text in Row(0, row).texts().values())
        self._above = frozenset(map(normal_header, above))
        """Titles, unit lines and headers, which may be repeated on every page."""
        self._repeated = frozenset(cell for row in sheet.rows[: layout.headers.row] for cell in row if cell)
        self._codes = {
            places[header]: column.name for header, column in form.headers.columns.items() if header in places
        }
        self._uncomputed = frozenset(row for row, _ in sheet.uncomputed)
        width = max(map(len, sheet.rows[layout.headers.row - 1 :]))
        self._headless = [column for column in range(width) if column not in layout.headers.texts]
        self._former: RowKind | None = RowKind.HEADER
        """What the row before was; None = data."""

    def sort(self) -> None:
        for row in self._rows():
            if not self._is_plainly_data(row):
                self._former = self._sort_out(row)
                if self._former is not None:
                    continue
            self._former = None
            self._layout.data.append(row)
            self._layout.last_row = row.number
            self._name_headless(row)

    def _rows(self) -> Iterator[Row]:
        begin = self._layout.headers.row
        for number, cells in enumerate(self._sheet.rows[begin:], start=begin + 1):
            if not is_empty(cells) or number - 1 in self._uncomputed:
                yield Row(number, cells)

    def _is_plainly_data(self, row: Row) -> bool:
        """Whether a key says at once that it is data: most rows do, and there may be a million of them."""
        if self._former in (RowKind.HEADER, RowKind.NOTE):
            return False
        is_named = False
        for column in self._keys:
            cell = row.cell(column)
            if cell is None or cell == "":
                continue
            if self._marks.may_be_in(cell) or cell in self._repeated or isinstance(cell, bool):
                return False
            is_named = True
            # Few keys are in Chinese.
            if isinstance(cell, str) and not cell.isascii() and self._may_be_none(cell, row):
                return False
        return is_named

    def _may_be_none(self, key: str, row: Row) -> bool:
        return _is_numbered_line(key) or self._marks.may_be_summed(row.cells)

    def _sort_out(self, row: Row) -> RowKind | None:
        """Put a row where it belongs that is no data; None where it is."""
        texts = row.texts()
        is_uncomputed = row.number - 1 in self._uncomputed
        if not texts:
            return None
        if not is_uncomputed and all(isinstance(row.cell(column), bool) for column in texts):
            # Boxes of an online form that nobody has ticked.
            return RowKind.ASIDE
        marked = self._marked(row, texts)
        if marked is None:
            if not is_uncomputed and self._wanted.isdisjoint(texts):
                self._name_headless(row)
                return RowKind.ASIDE
            return None
        kind, column = marked
        if kind is RowKind.TOTAL:
            self._layout.totals.append(LeftOut(row, kind, column))
            self._layout.last_row = row.number
        else:
            self._layout.left_out.append(LeftOut(row, kind, column))
        return kind

    def _marked(self, row: Row, texts: Mapping[int, str]) -> tuple[RowKind, int] | None:
        """What a row is by its marks, and where the first stands."""
        first = min(texts)
        if self._repeats_headers(texts):
            return RowKind.HEADER, first
        if self._former is RowKind.HEADER and self._numbers_columns(texts):
            return RowKind.COLUMN_NUMBERS, first
        if self._is_line_of_a_note(texts):
            return RowKind.NOTE, first
        if len(texts) == 1 and not self._holds_dates(first) and _DAY.fullmatch(normal_header(texts[first])):
            return RowKind.SIGNATURE, first
        kinds = {column: kind for column, text in texts.items() if (kind := self._marks.kind_of(text)) is not None}
        if not kinds:
            return None
        column = min(kinds)
        kind = next((each for each in (RowKind.TOTAL, RowKind.SUBTOTAL) if each in kinds.values()), kinds[column])
        column = next(place for place, each in kinds.items() if each is kind)
        others = texts.keys() - kinds.keys() - self._beside(row, texts, kinds)
        if self._identifies_a_row(row, others, is_sum=kind in _SUMS):
            return None
        if kind in _WITHOUT_NUMBERS and 2 * len(self._wanted & others) > len(self._wanted) > 1:
            return None
        return kind, column

    def _holds_dates(self, column: int) -> bool:
        declared = self._identifying.get(column)
        return declared is not None and declared.type is ColumnType.DATE

    def _is_line_of_a_note(self, texts: Mapping[int, str]) -> bool:
        """Whether a row is one line of prose: a numbered one, or one below a note."""
        first = min(texts)
        if len(texts) > 1 or texts[first].isascii():
            return False
        return _is_numbered_line(texts[first]) or self._former is RowKind.NOTE

    def _beside(self, row: Row, texts: Mapping[int, str], kinds: Mapping[int, RowKind]) -> set[int]:
        """Cells that belong to the mark before them: a name behind its label, a day behind who has signed."""
        beside: set[int] = set()
        for place, kind in kinds.items():
            day = read_cell(row.cell(place + 1), _A_DAY, epoch_1904=self._sheet.epoch_1904)
            if self._marks.is_bare(texts[place]) or (kind is RowKind.SIGNATURE and isinstance(day, date)):
                beside.add(place + 1)
        return beside

    def _repeats_headers(self, texts: Mapping[int, str]) -> bool:
        if all(normal_header(text) in self._above for text in texts.values()):
            return True
        headers = self._layout.headers.texts
        alike = sum(
            column in headers and normal_header(text) == normal_header(headers[column])
            for column, text in texts.items()
        )
        return alike > 1 and 2 * alike > len(texts)

    def _numbers_columns(self, texts: Mapping[int, str]) -> bool:
        if self._marks.are_column_numbers(list(texts.values())):
            return True
        return len(texts) > 1 and all(text.casefold() == self._codes.get(column) for column, text in texts.items())

    def _identifies_a_row(self, row: Row, columns: Iterable[int], *, is_sum: bool) -> bool:
        """Whether a key, a date or a code can be read in these cells of a row."""
        for column in columns:
            declared, cell = self._identifying.get(column), row.cell(column)
            text = cell_text(cell)
            if says_nothing(text) or not any(map(str.isalnum, text)):
                continue
            # Of a sum, numbers of rows stand anywhere; a code has no Chinese.
            is_count = is_sum and _COUNT.fullmatch(text) is not None
            if is_count or (declared is not None and declared.code and not text.isascii()):
                continue
            if declared is None:
                if column in self._keys:
                    return True
            elif not isinstance(read_cell(cell, declared, epoch_1904=self._sheet.epoch_1904), CellFault):
                return True
        return False

    def _name_headless(self, row: Row) -> None:
        extra = self._layout.headers.extra
        for column in self._headless:
            cell = row.cell(column)
            if column not in extra and not isinstance(cell, bool) and cell_text(cell):
                extra[column] = ""
