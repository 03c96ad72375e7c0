"""A table of a page: declared once, shown as HTML, saved as CSV or as a workbook (docs/desk.md#pages)."""

from __future__ import annotations

import csv
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Final

from five_precisions.display import Form, inert, rounded, shown, text_width
from five_precisions.period import SHANGHAI
from five_precisions.templates import moment_words
from five_precisions.web.page import SHEET
from five_precisions.workbooks import (
    LONGEST_SHEET_NAME,
    Book,
    RowSheet,
    beginning,
    set_page,
    sheet_name,
    write_book,
)

Value = str | int | Decimal | date | datetime | None

_FEW: Final = 5
"""Counts of households of a town below this, and above 0, are not shown (docs/desk.md#pages)."""
_CSV: Final = "text/csv; charset=utf-8"
_NARROWEST, _WIDEST = 8, 60
"""Widths of a workbook's columns, in characters."""
_CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - workbooks know no time zones; never the clock
_HEAD: Final = {"bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}
_NUMBER_FORMATS: Final = {Form.COUNT: "#,##0", Form.RANK: "0", Form.EXACT: "General"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in files, its head, and how its values are shown."""

    name: str
    """Part of an address or a style: `rank`."""
    head: str
    form: Form = Form.TEXT
    unit: str = ""
    """Stands in the head: 万元."""

    @property
    def is_number(self) -> bool:
        """Whether it is set to the right."""
        return self.form is not Form.TEXT

    @property
    def title(self) -> str:
        """The head with its unit."""
        return f"{self.head}（{self.unit}）" if self.unit else self.head


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value with what a person can do with it."""

    value: Value
    href: str | None = None
    """Where a click leads: below our pages' root, or Airflow's where it begins with `airflow:`."""
    state: str | None = None
    """A word for the style sheet: good, bad, warn, faint."""
    title: str | None = None
    """What is said on top where the value is short."""
    form: Form | None = None
    """Where it differs from the column's."""
    is_head: bool = False
    """Whether it names the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under heads; a cell is a value, or a `Cell` where more is to be said."""

    name: str
    """Within its page; the files are called by it."""
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value | Cell]]
    empty: str
    """What stands in its place where it has no rows, and what to do then."""
    note: str = ""
    carried_as: str = ""
    """How its files are called where the page carries them: no address leads to what answers a form."""

    @property
    def cells(self) -> list[list[Cell]]:
        """Every cell in full."""
        return [[each if isinstance(each, Cell) else Cell(value=each) for each in row] for row in self.rows]

    def carried_file(self, ending: str) -> str:
        """One of its files as an address that holds it: csv or xlsx."""
        content, media_type = table_as_file(self, ending, self.carried_as)
        return f"data:{media_type.replace(' ', '')};base64,{b64encode(content).decode()}"

    def words(self, cell: Cell, column: Column) -> str:
        """A cell as a person reads it."""
        return cell_words(cell, column)


def percent_of(part: int, whole: int) -> Decimal | None:
    """A part in percent of the whole; None of nothing."""
    return Decimal(100 * part) / Decimal(whole) if whole else None


def counted(count: Value, href: str) -> Cell:
    """A count that leads to what is counted; nothing leads nowhere."""
    return Cell(value=count, href=href if count else None)


def few(count: int | Decimal | None) -> Value:
    """A count of households of a town, as it may be shown: `<5` for one to four."""
    return "<5" if count is not None and 0 < count < _FEW else count


def cell_words(cell: Cell, column: Column) -> str:
    """A cell as a person reads it."""
    value = cell.value
    if isinstance(value, datetime):
        return moment_words(value)
    if isinstance(value, date):
        return value.isoformat()
    return shown(value, cell.form or column.form)


def table_as_csv(table: Table) -> bytes:
    """The table for a spreadsheet: UTF-8 with its mark, numbers plain, texts so that nothing runs as a formula."""
    written = StringIO()
    writer = csv.writer(written)
    writer.writerow([column.title for column in table.columns])
    for row in table.cells:
        writer.writerow([_plain(cell, column) for cell, column in zip(row, table.columns, strict=True)])
    return written.getvalue().encode("utf-8-sig")


def _plain(cell: Cell, column: Column) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, int | Decimal):
        form = cell.form or column.form
        return str(value) if form is Form.TEXT else f"{rounded(value, form):f}"
    return inert(value if isinstance(value, str) else cell_words(cell, column))


def table_as_file(table: Table, ending: str, heading: str) -> tuple[bytes, str]:
    """The table as a file, and its media type.

    Args:
        table: What it holds.
        ending: csv or xlsx.
        heading: First line of a workbook; a CSV has none.
    """
    if ending == "csv":
        return table_as_csv(table), _CSV
    return table_as_workbook(table, heading), SHEET


def table_as_workbook(table: Table, heading: str) -> bytes:
    """The table as a workbook with real numbers, ready to be printed.

    Args:
        table: What it holds.
        heading: Its first line: what is shown, and of when.
    """
    return tables_as_workbook([(table, heading)], heading)


def tables_as_workbook(sheets: Sequence[tuple[Table, str]], title: str) -> bytes:
    """Tables as a workbook of a sheet each.

    Args:
        sheets: Each table with its first line. Their titles differ: sheets are called by them.
        title: Of the workbook.
    """
    content = BytesIO()
    with write_book(content, {"title": title, "created": _CREATED}, in_memory=True) as book:
        for table, heading in sheets:
            _write_sheet(book, table, heading)
    return content.getvalue()


def _write_sheet(book: Book, table: Table, heading: str) -> None:
    sheet, cells = book.add_sheet(beginning(sheet_name(table.title), LONGEST_SHEET_NAME)), table.cells
    book.write_text(sheet, 0, 0, heading, {"bold": True, "font_size": 14})
    for number, column in enumerate(table.columns):
        book.write_text(sheet, 1, number, column.title, _HEAD)
        words = [cell_words(row[number], column) for row in cells]
        widest = max(text_width(each) for each in (column.title, *words))
        sheet.set_column(number, number, min(max(widest + 2, _NARROWEST), _WIDEST))
    for line, row in enumerate(cells, 2):
        for number, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            _write_cell(book, sheet, line, number, cell, column)
    sheet.freeze_panes(2, 0)
    sheet.repeat_rows(0, 1)
    set_page(sheet, landscape=True, side=0.4)


def _write_cell(book: Book, sheet: RowSheet, line: int, number: int, cell: Cell, column: Column) -> None:
    form = cell.form or column.form
    if isinstance(cell.value, int | Decimal) and form is not Form.TEXT:
        style = {"border": 1, "num_format": _NUMBER_FORMATS.get(form, "#,##0.00")}
        sheet.write_number(line, number, rounded(cell.value, form), book.format(style))
    elif isinstance(cell.value, datetime):
        moment = cell.value.astimezone(SHANGHAI).replace(tzinfo=None)
        sheet.write_datetime(line, number, moment, book.format({"border": 1, "num_format": "yyyy-mm-dd hh:mm"}))
    else:
        words = "" if cell.value is None else cell_words(cell, column)
        book.write_text(sheet, line, number, words, {"border": 1, "text_wrap": True, "valign": "top"})
