"""Workbooks as XlsxWriter writes them: what the bulletin's tables, the templates and the findings have in common.

Texts are written as texts, whatever they look like: nothing runs as a formula, nothing becomes a link or a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from functools import cache
from io import BytesIO
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from five_precisions.display import could_run, text_width

LONGEST_TEXT: Final = 32_767
"""UTF-16 units that a cell holds; XlsxWriter leaves out longer texts altogether."""
LONGEST_SHEET_NAME: Final = 31
"""UTF-16 units."""
WIDEST_UPRIGHT: Final = 92
"""Widths of columns that fit upright on A4 without being made smaller, in characters."""

_NOT_IN_SHEET_NAME: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_KEPT_BY_EXCEL: Final = "history"
_A4: Final = 9
_PLAIN_TEXT: Final = re.compile(
    r"[0-9A-Za-z*\u4e00-\u9fff（《“][ 0-9A-Za-z*\u4e00-\u9fff·.,/%()（）《》“”，。、：；\-—]{,16000}(?<! )"
)
"""Written as it stands: nothing to escape or to shorten, no blank at its ends, nothing that could run."""
_LONG: Final = 16_000
_FIRST_PLAIN_DAY: Final = date(1900, 3, 1)
_DAY_ZERO: Final = date(1899, 12, 30).toordinal()
"""From the first plain day on, the number of a day is its distance from this one."""
_MIDNIGHT: Final = time()
_TEXTS_STAY_TEXTS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class RowSheet(Worksheet):  # type: ignore[misc]
    """A sheet of a workbook in constant memory that takes plain rows whole, several times faster than cell by cell.

    The bytes are the same. Beside the public names this rests on how XlsxWriter holds a row back until the next begins.
    """

    def write_plain_row(self, row: int, cells: Sequence[object], *, text: Format, number: Format, day: Format) -> bool:
        """Write a row of texts, numbers and days that need nothing but a format; what is None is left out.

        Args:
            row: Its number, from 0; rows come in order.
            cells: From column A on.
            text: The format of texts.
            number: The format of numbers.
            day: The format of dates.

        Returns:
            Whether the row is written. It is not where a cell needs more, or where the row has cells already.
        """
        if row > self.previous_row:
            self._write_single_row(row)
        if self.table.get(row) or row in self.row_info:
            return False
        first = last = -1
        parts: list[str] = []
        for column, cell in enumerate(cells[: self.xls_colmax]):
            if cell is None:
                continue
            if type(cell) is str and _is_plain(cell):
                style, content = text, f' t="inlineStr"><is><t>{cell}</t></is></c>'
            elif (plain := _plain_number(cell)) is not None:
                style, content = number, f"><v>{plain:.16G}</v></c>"
            elif (plain := _plain_day(cell)) is not None:
                style, content = day, f"><v>{plain}</v></c>"
            else:
                return False
            # XlsxWriter numbers the formats as it meets them, and has no public name for the number.
            parts.append(f'<c r="{_letters(column)}{row + 1}" s="{style._get_xf_index()}"{content}')  # noqa: SLF001
            first, last = column if first < 0 else first, column
        if parts:
            self._check_dimensions(row, first)
            self._check_dimensions(row, last)
            self.fh.write(f'<row r="{row + 1}">{"".join(parts)}</row>')
        return True


def _is_plain(text: str) -> bool:
    return (text.isalnum() and len(text) < _LONG) or _PLAIN_TEXT.fullmatch(text) is not None


def _plain_number(cell: object) -> float | None:
    return cell if type(cell) is int or (type(cell) is float and math.isfinite(cell)) else None


def _plain_day(cell: object) -> int | None:
    """The number by which spreadsheets keep a day; None for what is none, or too old for them to agree."""
    if type(cell) is datetime:
        if cell.timetz() != _MIDNIGHT:
            return None
        cell = cell.date()
    return cell.toordinal() - _DAY_ZERO if type(cell) is date and cell >= _FIRST_PLAIN_DAY else None


@cache
def _letters(column: int) -> str:
    return str(xl_col_to_name(column))


class Book:
    """A workbook that is being written; each format is made once."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self._formats: dict[frozenset[tuple[str, Any]], Format] = {}

    def add_sheet(self, name: str, header: str = "") -> RowSheet:
        """A sheet with page numbers at its foot, and what stands at the head of each page."""
        sheet: RowSheet = self.workbook.add_worksheet(name, worksheet_class=RowSheet)
        if header:
            sheet.set_header(header)
        sheet.set_footer("&C第 &P 页，共 &N 页")
        return sheet

    def format(self, style: Mapping[str, Any]) -> Format:
        """The format of a style, given as XlsxWriter's properties."""
        key = frozenset(style.items())
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format(dict(style))
        return self._formats[key]

    def write_text(self, sheet: Worksheet, row: int, column: int, text: str | None, style: Mapping[str, Any]) -> None:
        """A text, as far as a cell holds it; a blank cell where there is none."""
        if text:
            sheet.write_string(row, column, beginning(text, LONGEST_TEXT), self._format_of_text(text, style))
        else:
            sheet.write_blank(row, column, None, self.format(style))

    def write_link(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        text: str,
        style: Mapping[str, Any],
        *,
        to: str,
        cell: str = "A1",
    ) -> None:
        """A text that leads to a cell of another sheet, whose name holds no apostrophe (`sheet_name`)."""
        words = beginning(text, LONGEST_TEXT)
        sheet.write_url(row, column, f"internal:'{to}'!{cell}", self._format_of_text(text, style), words)

    def merge(
        self,
        sheet: Worksheet,
        first_row: int,
        first: int,
        last_row: int,
        last: int,
        text: str,
        style: Mapping[str, Any],
    ) -> None:
        """A text over several cells; XlsxWriter refuses to join a single one."""
        if (first_row, first) != (last_row, last):
            # Written blank first: merge_range writes by guessing types from text.
            sheet.merge_range(first_row, first, last_row, last, "", self._format_of_text(text, style))
        self.write_text(sheet, first_row, first, text, style)

    def _format_of_text(self, text: str, style: Mapping[str, Any]) -> Format:
        # A cell of type text does not run; the prefix keeps it so when someone edits the cell.
        return self.format({**style, "quote_prefix": True} if could_run(text) else style)


@contextmanager
def write_book(content: BytesIO, properties: Mapping[str, Any], **options: Any) -> Iterator[Book]:
    """Write a workbook into `content` by the end of the block; the same calls give the same bytes.

    Args:
        content: What becomes the XLSX file.
        properties: What the file says of itself. Its `created` is never the clock.
        options: Of XlsxWriter's constructor.
    """
    with Workbook(content, {**options, **_TEXTS_STAY_TEXTS}) as workbook:
        workbook.set_properties(dict(properties))
        yield Book(workbook)


def set_page(sheet: Worksheet, *, landscape: bool, side: float, bottom: float = 0.7, pages_across: int = 1) -> None:
    """Lay a sheet out for A4; margins in inches."""
    sheet.set_paper(_A4)
    if landscape:
        sheet.set_landscape()
    sheet.set_margins(left=side, right=side, top=0.7, bottom=bottom)
    sheet.fit_to_pages(pages_across, 0)


def count_lines(text: str, width: float, measured: int | None = None) -> int:
    """How many lines a text takes in a column of that width, in characters.

    Args:
        text: Of one line or several.
        width: Of the column, less what stays free beside the text.
        measured: How many characters of each line are looked at; None for all.
    """
    room = max(1, int(width))
    return sum(max(1, -(-text_width(line[:measured]) // room)) for line in text.split("\n"))


def beginning(text: str, units: int) -> str:
    """The beginning of a text that takes no more than so many UTF-16 units, as spreadsheets count."""
    if 2 * len(text) <= units:
        return text
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")


def sheet_name(text: str) -> str:
    """A text without what no sheet's name may hold, on one line; it may be too long, or empty."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.translate(_NOT_IN_SHEET_NAME).split())


def sheet_names(wanted: Iterable[tuple[str, str]], taken: Iterable[str]) -> list[str]:
    """Names of sheets: allowed, as long as they may be, each once whatever its capital letters.

    Args:
        wanted: For each sheet the name that it should bear, and what is added in brackets where another sheet has that
            name. A number is added instead where that is empty, or taken too.
        taken: Names that other sheets of the workbook have.
    """
    used = {_KEPT_BY_EXCEL, *(name.casefold() for name in taken)}
    names: list[str] = []
    for name, addition in wanted:
        names.append(next(each for each in _candidates(name, addition) if each.casefold() not in used))
        used.add(names[-1].casefold())
    return names


def _candidates(name: str, addition: str) -> Iterator[str]:
    yield beginning(name, LONGEST_SHEET_NAME).rstrip()
    if addition:
        yield _with_suffix(name, f"({beginning(addition, LONGEST_SHEET_NAME // 2)})")
    number = 2
    while True:
        yield _with_suffix(name, f"({number})")
        number += 1


def _with_suffix(name: str, suffix: str) -> str:
    units = len(suffix.encode("utf-16-le")) // 2
    return beginning(name, LONGEST_SHEET_NAME - units).rstrip() + suffix
