"""Where a table stands in a sheet: header row under title rows, columns, data, totals.

See docs/intake.md; F02, F05, F06.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from five_precisions.reports import ColumnType, load_reports
from five_precisions.reports.cells import TOTAL_MARKS, Cell, cell_text

ROWS_SEARCHED_FOR_HEADERS: Final = 10
"""Up to nine rows of title, unit and date stand above the header row."""
_CLOSE_SPELLING: Final = 0.6
_UNITS: Final = {
    ColumnType.YUAN: ("元",),
    ColumnType.WAN: ("万元",),
    ColumnType.PCT: ("%",),
    ColumnType.INT: ("人", "户", "个", "天", "次", "人次", "份"),
}
"""What stands in brackets behind a header in many a form."""


def normal_header(text: str) -> str:
    """A header as it is compared: without blanks, line breaks and what nobody sees; full-width signs made plain."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain if plain.isprintable() else "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file that is not empty."""

    number: int
    """As in the file, from 1."""
    cells: Sequence[Cell]

    def cell(self, column: int) -> Cell:
        """The cell of a column from 0; nothing beyond the row's end."""
        return self.cells[column] if column < len(self.cells) else None


@dataclass(slots=True)
class Layout:
    """What was found of the wanted headers, and the rows below them."""

    header_row: int
    """As in the file, from 1; 0 = no header row was found."""
    columns: dict[str, int] = field(default_factory=dict)
    """Wanted header → column from 0, its first place where it stands twice."""
    missing: list[str] = field(default_factory=list)
    misspelt: dict[str, int] = field(default_factory=dict)
    """Missing header → column from 0 of one that is nearly it."""
    doubled: dict[str, list[int]] = field(default_factory=dict)
    extra: dict[int, str] = field(default_factory=dict)
    """Column from 0 → its header, empty where cells stand without one."""
    data: list[Row] = field(default_factory=list)
    totals: list[Row] = field(default_factory=list)
    last_row: int = 0
    """Number of the last row with anything in it."""


def lay_out(rows: Sequence[Sequence[Cell]], wanted: Sequence[str], *, with_totals: bool = True) -> Layout:
    """Find the wanted headers among the first ten rows, in the row that has most of them, and what stands below."""
    normal = {normal_header(header): header for header in wanted}
    best = _header_index(rows, normal)
    if best is None:
        return Layout(header_row=0, missing=list(wanted))
    layout = Layout(header_row=best + 1)
    places: dict[str, list[int]] = {}
    for column, cell in enumerate(rows[best]):
        header = _without_note(cell_text(cell))
        if header in normal:
            places.setdefault(normal[header], []).append(column)
        elif header:
            layout.extra[column] = cell_text(cell)
    layout.columns = {header: columns[0] for header, columns in places.items()}
    layout.doubled = {header: columns for header, columns in places.items() if len(columns) > 1}
    layout.missing = [header for header in wanted if header not in places]
    _match_misspelt(layout)
    _split_rows(layout, rows, best, with_totals=with_totals)
    return layout


def _without_note(text: str) -> str:
    """The header in normal form, without a note in brackets that says no more than the declaration: 发放金额（元）.

    With another unit than the declared one it is no header that we know.
    """
    header = normal_header(text)
    return _headers_with_notes().get(header, header)


@cache
def _headers_with_notes() -> dict[str, str]:
    return {
        normal_header(f"{column.header}({note})"): normal_header(column.header)
        for report in load_reports().values()
        for column in report.columns
        for unit in _UNITS.get(column.type, ())
        for note in (unit, f"单位:{unit}")
    }


def is_empty(cells: Sequence[Cell]) -> bool:
    """Whether all cells of a row are empty."""
    return all(cell is None or cell == "" or (isinstance(cell, str) and not cell_text(cell)) for cell in cells)


def _header_index(rows: Sequence[Sequence[Cell]], normal: dict[str, str]) -> int | None:
    matches = [
        len({header for cell in row if isinstance(cell, str) and (header := _without_note(cell)) in normal})
        for row in rows[:ROWS_SEARCHED_FOR_HEADERS]
    ]
    best = max(matches, default=0)
    return matches.index(best) if best else None


def _match_misspelt(layout: Layout) -> None:
    for missing in layout.missing:
        candidates = {normal_header(text): column for column, text in layout.extra.items()}
        if close := difflib.get_close_matches(normal_header(missing), candidates, n=1, cutoff=_CLOSE_SPELLING):
            layout.misspelt[missing] = candidates[close[0]]
            del layout.extra[candidates[close[0]]]


def _split_rows(layout: Layout, rows: Sequence[Sequence[Cell]], header: int, *, with_totals: bool) -> None:
    headed = {column for column, cell in enumerate(rows[header]) if cell_text(cell)}
    leftmost = {min(headed), min(layout.columns.values())}
    headless = [column for column in range(max(map(len, rows[header:]))) if column not in headed]
    for number, cells in enumerate(rows[header + 1 :], start=header + 2):
        if is_empty(cells):
            continue
        row = Row(number, cells)
        layout.last_row = number
        if with_totals and any(is_total_mark(row.cell(column)) for column in leftmost):
            layout.totals.append(row)
            continue
        layout.data.append(row)
        for column in headless:
            if column not in layout.extra and cell_text(row.cell(column)):
                layout.extra[column] = ""


def is_total_mark(cell: Cell) -> bool:
    """Whether a cell says that its row is a total row (F06)."""
    # The sign stands for itself alone; looking for it first spares a hundred thousand contract numbers the rest.
    return isinstance(cell, str) and "计" in cell and normal_header(cell).rstrip(":") in TOTAL_MARKS
