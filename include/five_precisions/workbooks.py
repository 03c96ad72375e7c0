"""Workbooks as XlsxWriter writes them: what the bulletin's tables, the templates and the findings have in common.

Texts are written as texts, whatever they look like: nothing runs as a formula, nothing becomes a link or a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
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
_TEXTS_STAY_TEXTS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class Book:
    """A workbook that is being written; each format is made once."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self._formats: dict[frozenset[tuple[str, Any]], Format] = {}

    def add_sheet(self, name: str, header: str = "") -> Worksheet:
        """A sheet with page numbers at its foot, and what stands at the head of each page."""
        sheet = self.workbook.add_worksheet(name)
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
