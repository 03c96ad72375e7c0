"""Tables of a web page under the name of a workbook, as many a bank's system exports them.

See docs/intake.md#the-package. Of the page only text is taken; nothing in it is loaded or run.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from five_precisions.intake.reading.headers import known_header
from five_precisions.intake.reading.layout import ROWS_SEARCHED_FOR_HEADERS
from five_precisions.intake.reading.sheet import (
    MOST_AREAS,
    MOST_SHEETS,
    Area,
    Limits,
    Sheet,
    UnreadableFileError,
    damaged,
    refuse_too_large,
    too_many_areas,
    too_many_cells,
    too_much_text,
)
from five_precisions.reports.cells import Cell

_PIECE: Final = 1 << 17
"""Characters between two looks at the bounds; the parser holds a tag whole, and the text up to the next tag."""
_MOST_TAGS: Final = 4_000_000
"""A page of 50 MB with a report has fewer; each takes its time."""
_DEEPEST: Final = 16
"""Tables in tables; the text of the innermost one belongs to all cells around it."""
_CELL_TAGS: Final = frozenset({"td", "th"})
_BREAKS: Final = frozenset({"br", "p", "div", "li"})
_NOT_SHOWN: Final = frozenset({"script", "style"})
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_BLANKS_IN_A_LINE: Final = re.compile(" {2,}")
_BREAK: Final = re.compile(r" ?\n[ \n]*")


def read_html_tables(name: str, text: str, known_headers: Collection[str], limits: Limits) -> list[Sheet]:
    """The tables of a page that are not blank; those with known headers first, the one with most of them before all.

    Raises:
        UnreadableFileError: it is too large or damaged, or two tables have the same headers (F01).
    """
    if text.count("<") > _MOST_TAGS:
        raise UnreadableFileError(
            f"文件内容是网页（HTML），其中的标记超过{_MOST_TAGS // 10_000}万个，请另存为 xlsx 后重新报送。"
        )
    page = _Page(limits)
    try:
        for at in range(0, len(text), _PIECE):
            page.feed(text[at : at + _PIECE])
            page.refuse_long_tag()
        page.close()
    except (AssertionError, ValueError) as error:
        # So the parser answers to declarations and character references that are none.
        raise damaged() from error
    tables = [(known_in(table.rows, known_headers), table) for table in page.filled()]
    headed = [headers for headers, _ in tables if headers]
    if len(headed) > len(set(headed)):
        raise UnreadableFileError(
            "文件内容是网页（HTML），其中不止一个表格有同样的表头，请合并为一个表格，另存为 xlsx 后重新报送。"
        )
    if headed:
        # A table around others arranges them on the page.
        tables = [(headers, table) for headers, table in tables if headers or not table.has_tables]
    tables.sort(key=lambda found: -len(found[0]))
    return [
        Sheet(
            name,
            table.caption or (f"表{table.number}" if len(tables) > 1 else None),
            table.rows,
            merged=tuple(table.areas()),
        )
        for _, table in tables
    ]


def known_in(rows: list[list[Cell]], known_headers: Collection[str]) -> frozenset[str]:
    """The known headers in the row that has most of them."""
    found = (
        frozenset(
            header
            for cell in row
            if isinstance(cell, str) and (header := known_header(cell, known_headers)) is not None
        )
        for row in rows[:ROWS_SEARCHED_FOR_HEADERS]
    )
    return max(found, key=len, default=frozenset())


@dataclass(slots=True)
class _HtmlCell:
    """A cell whose text is being read."""

    column: int
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _HtmlTable:
    """A table as far as it has been read."""

    number: int
    """In the page, from 1."""
    covered: list[int]
    """Of each column the last row, from 0, that a cell above reaches down to."""
    rows: list[list[Cell]] = field(default_factory=list)
    spans: list[Area] = field(default_factory=list)
    cell: _HtmlCell | None = None
    caption: str = ""
    has_tables: bool = False

    def areas(self) -> list[Area]:
        """What is merged, none of it beyond the last row."""
        last = len(self.rows) - 1
        return [
            Area(each.first_row, each.first_column, min(each.last_row, last), each.last_column) for each in self.spans
        ]


class _Page(HTMLParser):
    """What stands in the tables of a page; a cell and a row end where the next one begins."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self._limits = limits
        self._tables: list[_HtmlTable] = []
        self._open: list[_HtmlTable] = []
        self._hidden_in = ""
        self._caption: list[str] | None = None
        self._cells = self._text = self._spans = 0

    def refuse_long_tag(self) -> None:
        """Refuse a page of which a tag has no end: the parser would look for it again and again."""
        if len(self.rawdata) > _PIECE:
            raise damaged()

    def filled(self) -> list[_HtmlTable]:
        """The tables with something in them; no row has empty cells at its end."""
        for table in self._open:
            self._end_cell(table)
        for row in (row for table in self._tables for row in table.rows):
            while row and row[-1] is None:
                row.pop()
        return [table for table in self._tables if any(table.rows)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins something, and ends what cannot hold it."""
        if tag == "table":
            self._begin_table()
        elif tag in _NOT_SHOWN:
            self._hidden_in = tag
        elif self._open:
            table = self._open[-1]
            if tag == "tr" or tag in _CELL_TAGS:
                self._caption = None
            if tag == "tr":
                self._begin_row(table)
            elif tag in _CELL_TAGS:
                self._begin_cell(table, dict(attrs))
            elif tag == "caption":
                self._caption = []
            elif tag in _BREAKS:
                self._take("\n")

    def handle_endtag(self, tag: str) -> None:
        """A tag ends something."""
        if tag == self._hidden_in:
            self._hidden_in = ""
        elif self._open:
            table = self._open[-1]
            if tag == "table":
                self._end_cell(table)
                self._open.pop()
            elif tag in _CELL_TAGS or tag == "tr":
                self._end_cell(table)
            elif tag == "caption" and self._caption is not None:
                table.caption = _shown(self._caption)
                self._caption = None

    def handle_data(self, data: str) -> None:
        """Text, or a piece of it."""
        if self._open and not self._hidden_in:
            self._take(_BLANKS.sub(" ", data))

    def _take(self, text: str) -> None:
        if self._caption is not None:
            self._caption.append(text)
            self._count_text(len(text))
            return
        for table in self._open:
            if table.cell is not None:
                table.cell.pieces.append(text)
                self._count_text(len(text))

    def _count_text(self, length: int) -> None:
        self._text += length
        if self._text > self._limits.text_bytes:
            raise too_much_text(self._limits)

    def _begin_table(self) -> None:
        if len(self._tables) == MOST_SHEETS or len(self._open) == _DEEPEST:
            raise damaged()
        for table in self._open:
            table.has_tables = True
        self._take(" ")
        table = _HtmlTable(len(self._tables) + 1, [-1] * self._limits.columns)
        self._tables.append(table)
        self._open.append(table)

    def _begin_row(self, table: _HtmlTable) -> None:
        self._end_cell(table)
        refuse_too_large(None, len(table.rows) + 1, 0, self._limits)
        self._count_cells(1)
        table.rows.append([])

    def _count_cells(self, count: int) -> None:
        self._cells += count
        if self._cells > self._limits.cells:
            raise too_many_cells(self._limits)

    def _begin_cell(self, table: _HtmlTable, attributes: dict[str, str | None]) -> None:
        self._end_cell(table)
        if len(self._open) > 1:
            self._take(" ")
        if not table.rows:
            self._begin_row(table)
        at, row, most = len(table.rows) - 1, table.rows[-1], self._limits.columns
        column = len(row)
        while column < most and table.covered[column] >= at:
            column += 1
        across = _span(attributes.get("colspan"))
        down = _span(attributes.get("rowspan"))
        refuse_too_large(None, 0, column + 1, self._limits)
        last = min(column + across, most) - 1
        self._count_cells(last + 1 - len(row))
        # A covered cell is empty; the next one begins behind it.
        row += [None] * (last + 1 - len(row))
        table.cell = _HtmlCell(column)
        if across > 1 or down > 1:
            self._spans += 1
            if self._spans > MOST_AREAS:
                raise too_many_areas()
            table.covered[column : last + 1] = [at + down - 1] * (last + 1 - column)
            table.spans.append(Area(at, column, at + down - 1, last))

    def _end_cell(self, table: _HtmlTable) -> None:
        if table.cell is not None:
            table.rows[-1][table.cell.column] = _shown(table.cell.pieces) or None
            table.cell = None


def _span(written: str | None) -> int:
    """How many cells one covers; what is no number above 0 is passed over."""
    if written is None:
        return 1
    digits = written.strip()
    if not digits.isdecimal() or len(digits) > len("1000000000"):
        return 1
    return int(digits) or 1


def _shown(pieces: list[str]) -> str:
    """The text as a page shows it."""
    text = "".join(pieces).strip()
    # Most texts are plain.
    if "  " in text:
        text = _BLANKS_IN_A_LINE.sub(" ", text)
    return _BREAK.sub("\n", text) if "\n" in text else text
