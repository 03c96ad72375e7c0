"""The bulletin's tables as a workbook, laid out as official statistics are published (docs/outputs.md#bulletin).

A cover with the contents, a sheet of notes, then a sheet for each table. Numbers are numbers, rounded as the document
shows them; the mark of a restated figure is part of its number format. The same bulletin gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time
from io import BytesIO
from itertools import groupby
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from five_precisions.bulletin.document import Bulletin, Cell, Column, Figure, Table
from five_precisions.bulletin.wording import day_name, quarter_name
from five_precisions.display import NOTHING, Form, could_run, rounded, text_width

COVER: Final = "封面"
NOTES: Final = "说明"
DEMO_MARK: Final = "演示数据"

_NUMBER_FORMATS: Final = {
    Form.COUNT: "#,##0",
    Form.AMOUNT: "#,##0.00",
    Form.PERCENT: "#,##0.00",
    Form.SCORE: "0.00",
    Form.RANK: "0",
    Form.TEXT: "General",
}
_MARK: Final = '"*"'
_ROOM_FOR_MARK: Final = "_*"
"""In a number format: a space as wide as the mark, so that the digits of a column stand below one another."""
_NO_SHEET_NAME: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_LONGEST_SHEET_NAME: Final = 31
_LONGEST_TEXT: Final = 32_767
"""Characters that a cell holds; XlsxWriter leaves out longer ones altogether."""
_NARROWEST: Final = 7
_WIDEST: Final = 44
_LANDSCAPE_FROM: Final = 92
"""Widths of columns that fit upright on A4 without being made smaller, in characters."""
_LINE: Final = 15
"""Height of a line, in points."""
_A4: Final = 9
_BODY: Final = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
_HEAD: Final = {"font_name": "黑体", "font_size": 11, "valign": "vcenter"}
_BOX: Final = {"border": 1, "border_color": "#808080"}
_TITLE: Final = _HEAD | {"font_size": 16, "align": "center", "text_wrap": True}
_LINK: Final = _BODY | {"font_color": "#0563C1", "underline": 1}
_LINES: Final = _BODY | {"text_wrap": True, "valign": "top"}

_MARKS: Final = {
    NOTHING: f"“{NOTHING}”表示没有数据或者不适用；有报表未取得的，见下列注释。",
    "*": "带“*”的是重述后的数据，与首次公布的不同；星号只是显示格式，单元格内仍是数字。",
    "<5": "“<5”表示1至4户，为保护贫困户隐私不列具体户数。",
}
"""What a sign in the tables means; of those that stand in none, nothing is said."""
_ROUNDING: Final = "表内数字逐项四舍五入，合计数和分项数之和可能略有出入。"
_UNITS: Final = (
    "金额以万元为单位，比率以百分比（%）表示，均保留两位小数；户数、笔数、个数为整数。",
    "各表另有注明的，以该表为准。",
)


def render_workbook(bulletin: Bulletin) -> bytes:
    """All tables of the bulletin as an XLSX file."""
    content = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(content, options) as book:
        _describe(book, bulletin)
        writer = _Writer(book, bulletin)
        names = sheet_names(bulletin.tables)
        writer.write_cover(list(zip(names, bulletin.tables, strict=True)))
        writer.write_notes()
        for name, table in zip(names, bulletin.tables, strict=True):
            writer.write_table(name, table)
    return content.getvalue()


def sheet_names(tables: Sequence[Table]) -> list[str]:
    """A sheet's name for each table, from its title: allowed, at most 31 characters, each once."""
    taken = {COVER, NOTES}
    names = []
    for table in tables:
        printable = "".join(each if each.isprintable() else " " for each in table.title)
        # Excel counts UTF-16 units and keeps "History" for itself; neither case comes from our own titles.
        wanted = " ".join(printable.translate(_NO_SHEET_NAME).split()) or table.code
        name, number = _cut(wanted, _LONGEST_SHEET_NAME), 1
        while name.casefold() in taken:
            number += 1
            name = _cut(wanted, _LONGEST_SHEET_NAME - len(f"({number})")) + f"({number})"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cut(text: str, units: int) -> str:
    """The beginning of a text that takes no more than so many UTF-16 units."""
    while len(text.encode("utf-16-le")) > 2 * units:
        text = text[:-1]
    return text.rstrip()


def _describe(book: Workbook, bulletin: Bulletin) -> None:
    marks = [DEMO_MARK] if bulletin.is_demo else []
    book.set_properties(
        {
            "title": bulletin.title,
            "subject": f"{quarter_name(bulletin.quarter)}金融精准扶贫工作通报统计表",
            "author": bulletin.issuer,
            "company": bulletin.issuer,
            "keywords": "，".join(["金融精准扶贫", quarter_name(bulletin.quarter), bulletin.number, *marks]),
            # The day of issue, not the clock: the same bulletin gives the same bytes.
            "created": datetime.combine(bulletin.issued_on, time()),
        }
    )
    book.set_custom_property("Language", "zh-CN")


class _Writer:
    """Writes the sheets of one workbook; formats are made once each."""

    def __init__(self, book: Workbook, bulletin: Bulletin) -> None:
        self._book = book
        self._bulletin = bulletin
        self._formats: dict[frozenset[tuple[str, Any]], Format] = {}

    def write_cover(self, contents: Iterable[tuple[str, Table]]) -> None:
        """Title, number, issuer, date; a list of the sheets with links."""
        sheet = self._sheet(COVER)
        bulletin = self._bulletin
        sheet.set_column(0, 0, 8)
        sheet.set_column(1, 1, 60)
        sheet.set_column(2, 2, 16)
        sheet.hide_gridlines(2)
        lines = [
            (bulletin.issuer, _HEAD | {"font_size": 20, "font_color": "#C00000", "align": "center"}, 34),
            (bulletin.number, _BODY | {"align": "center", "font_size": 12}, 22),
            (bulletin.title, _TITLE | {"font_size": 18}, 56),
            ("统计表", _HEAD | {"align": "center", "font_size": 14}, 26),
            (day_name(bulletin.issued_on), _BODY | {"align": "center", "font_size": 12}, 22),
        ]
        if bulletin.is_demo:
            mark = f"【{DEMO_MARK}】机构、人员和数字均为虚构。"
            lines.append((mark, _BODY | {"align": "center", "bg_color": "#FFF3CD", "font_color": "#664D03"}, 22))
        for row, (text, style, height) in enumerate(lines):
            sheet.set_row(row, height)
            self._merge(sheet, row, 0, row, 2, text, style)
        head = len(lines) + 1
        for column, header in enumerate(("序号", "目录", "单位")):
            self._text(sheet, head, column, header, _HEAD | _BOX | {"align": "center", "bg_color": "#EDEDED"})
        row = head
        for row, (target, title, unit) in enumerate(
            [(NOTES, NOTES, ""), *((name, table.title, table.unit) for name, table in contents)], start=head + 1
        ):
            sheet.write_number(row, 0, row - head, self._format(_BODY | _BOX | {"align": "center"}))
            self._link(sheet, row, 1, target, title, _LINK | _BOX | {"text_wrap": True})
            self._text(sheet, row, 2, unit, _BODY | _BOX | {"text_wrap": True})
            sheet.set_row(row, _LINE * max(1.3, _lines(title, 58), _lines(unit, 15)))
        self._print(sheet, last_row=row, last_column=2, width=84)

    def write_notes(self) -> None:
        """Units, what the marks mean, and the footnotes."""
        sheet = self._sheet(NOTES)
        sheet.set_column(0, 0, 6)
        sheet.set_column(1, 1, 80)
        sheet.hide_gridlines(2)
        self._merge(sheet, 0, 0, 0, 1, "说明", _TITLE)
        sheet.set_row(0, 30)
        self._link(sheet, 1, 0, COVER, "目录", _LINK)
        row = 2
        cells = [str(cell) for table in self._bulletin.tables for row in table.rows for cell in row]
        marks = [note for mark, note in _MARKS.items() if any(cell.endswith(mark) for cell in cells)]
        blocks = [
            ("一、计量单位", _UNITS),
            ("二、符号和取整", (*marks, _ROUNDING)),
            ("三、注释", self._bulletin.footnotes),
        ]
        for heading, notes in blocks:
            self._text(sheet, row, 0, heading, _HEAD)
            sheet.set_row(row, 24)
            row += 1
            for number, note in enumerate(notes, start=1):
                sheet.write_number(row, 0, number, self._format(_LINES | {"align": "center"}))
                self._text(sheet, row, 1, note, _LINES)
                sheet.set_row(row, _LINE * (_lines(note, 78) + 0.3))
                row += 1
        self._print(sheet, last_row=row - 1, last_column=1, width=86)

    def write_table(self, name: str, table: Table) -> None:
        """One table on a sheet of its own."""
        sheet = self._sheet(name)
        last = len(table.columns) - 1
        marked = [
            any(isinstance(row[column], Figure) and row[column].restated for row in table.rows)  # type: ignore[union-attr]
            for column in range(len(table.columns))
        ]
        widths = [_width(column, [row[index] for row in table.rows]) for index, column in enumerate(table.columns)]
        # The title, the link and the unit line want room, however narrow the table is.
        widths[-1] += max(0, 24 - sum(widths))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        self._merge(sheet, 0, 0, 0, last, table.title, _TITLE)
        sheet.set_row(0, 30 * _lines(table.title, sum(widths) * 11 // 16))
        self._write_line_below_title(sheet, table, last)
        first = self._write_head(sheet, table.columns, widths)
        for row, cells in enumerate(table.rows, start=first):
            is_total = table.has_total and row == first + len(table.rows) - 1
            style = _BOX | ({"bold": True, "bg_color": "#F2F2F2"} if is_total else {})
            sheet.set_row(
                row, _LINE * (0.3 + max(_lines(str(cell or ""), int(widths[at]) - 1) for at, cell in enumerate(cells)))
            )
            for column, cell in enumerate(cells):
                self._cell(sheet, row, column, cell, table.columns[column], style, room_for_mark=marked[column])
        row = first + len(table.rows)
        if table.note:
            note = f"注：{table.note.removeprefix('注：')}"
            self._merge(sheet, row, 0, row, last, note, _LINES | {"font_size": 10})
            sheet.set_row(row, _LINE * (_lines(note, sum(widths)) + 0.3))
            row += 1
        named = next((index for index, column in enumerate(table.columns[:2]) if column.form is Form.TEXT), -1)
        sheet.freeze_panes(first, named + 1)
        sheet.repeat_rows(2, first - 1)
        self._print(sheet, last_row=row - 1, last_column=last, width=sum(widths))

    def _write_line_below_title(self, sheet: Worksheet, table: Table, last: int) -> None:
        """A link back to the contents, and the unit."""
        parts = [f"【{DEMO_MARK}】"] if self._bulletin.is_demo else []
        parts += [f"单位：{table.unit}"] if table.unit else []
        self._link(sheet, 1, 0, COVER, "目录", _LINK)
        if last:
            self._merge(sheet, 1, 1, 1, last, "　".join(parts), _BODY | {"align": "right"})
        sheet.set_row(1, 20)

    def _write_head(self, sheet: Worksheet, columns: Sequence[Column], widths: Sequence[float]) -> int:
        """The header rows from the third on, two where columns share a heading. Gives the first row of data."""
        style = _HEAD | _BOX | {"align": "center", "text_wrap": True, "bg_color": "#EDEDED"}
        has_groups = any(column.group for column in columns)
        bottom = 3 if has_groups else 2
        # A heading that some of a run of columns share is joined over that run only.
        for group, run in groupby(enumerate(columns), key=lambda each: each[1].group):
            at = [index for index, _ in run]
            if group:
                self._merge(sheet, 2, at[0], 2, at[-1], group, style)
            for index in at:
                if has_groups and not group:
                    self._merge(sheet, 2, index, bottom, index, columns[index].header, style)
                else:
                    self._text(sheet, bottom, index, columns[index].header, style)
        if has_groups:
            sheet.set_row(2, _LINE * 1.6)
        lines = max(_lines(column.header, int(widths[index]) - 1) for index, column in enumerate(columns))
        sheet.set_row(bottom, _LINE * (lines + 0.6))
        return bottom + 1

    def _cell(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        cell: Cell,
        declared: Column,
        style: dict[str, Any],
        *,
        room_for_mark: bool,
    ) -> None:
        if isinstance(cell, Figure) and cell.value is not None:
            suffix = _MARK if cell.restated else _ROOM_FOR_MARK if room_for_mark else ""
            number_format = _NUMBER_FORMATS[cell.form] + suffix
            sheet.write_number(
                row,
                column,
                rounded(cell.value, cell.form),
                self._format(_BODY | style | _aligned(cell.form) | {"num_format": number_format}),
            )
        elif cell is None:
            sheet.write_blank(row, column, None, self._format(_BODY | style))
        else:
            self._text(sheet, row, column, str(cell), _BODY | style | _aligned(declared.form) | {"text_wrap": True})

    def _sheet(self, name: str) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        if self._bulletin.is_demo:
            sheet.set_header(f"&R{DEMO_MARK}")
        sheet.set_footer("&C第 &P 页，共 &N 页")
        return sheet

    @staticmethod
    def _print(sheet: Worksheet, *, last_row: int, last_column: int, width: float) -> None:
        sheet.set_paper(_A4)
        if width > _LANDSCAPE_FROM:
            sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        sheet.center_horizontally()
        sheet.fit_to_pages(1, 0)
        sheet.print_area(0, 0, last_row, last_column)

    def _format(self, style: dict[str, Any]) -> Format:
        key = frozenset(style.items())
        if key not in self._formats:
            self._formats[key] = self._book.add_format(style)
        return self._formats[key]

    def _text_format(self, text: str, style: dict[str, Any]) -> Format:
        # A cell of type text does not run; the prefix keeps it so when someone edits the cell.
        return self._format(style | ({"quote_prefix": True} if could_run(text) else {}))

    def _text(self, sheet: Worksheet, row: int, column: int, text: str, style: dict[str, Any]) -> None:
        if text:
            sheet.write_string(row, column, text[:_LONGEST_TEXT], self._text_format(text, style))
        else:
            sheet.write_blank(row, column, None, self._format(style))

    def _link(self, sheet: Worksheet, row: int, column: int, target: str, text: str, style: dict[str, Any]) -> None:
        sheet.write_url(row, column, f"internal:'{target}'!A1", self._text_format(text, style), text[:_LONGEST_TEXT])

    def _merge(
        self, sheet: Worksheet, first_row: int, first: int, last_row: int, last: int, text: str, style: dict[str, Any]
    ) -> None:
        """A text over several cells; XlsxWriter refuses to join a single one."""
        if (first_row, first) != (last_row, last):
            # Written blank first: merge_range writes by guessing types from text.
            sheet.merge_range(first_row, first, last_row, last, "", self._text_format(text, style))
        self._text(sheet, first_row, first, text, style)


def _aligned(form: Form) -> dict[str, Any]:
    """Texts left, places in the middle, other numbers right, each off the line of the box."""
    if form is Form.RANK:
        return {"align": "center"}
    return {"align": "left" if form is Form.TEXT else "right", "indent": 1}


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column of that width, in characters."""
    return sum(max(1, -(-text_width(line) // max(1, int(width)))) for line in text.split("\n"))


def _width(column: Column, cells: Sequence[Cell]) -> float:
    """How wide a column must be, in characters; long headers and long texts are broken into lines."""
    header = text_width(column.header)
    if header > 12:
        header = -(-header // 3) + 2
    widest = max((text_width("" if cell is None else str(cell)) for cell in cells), default=0)
    return min(_WIDEST, max(_NARROWEST, header, widest) * 1.1 + 3)
