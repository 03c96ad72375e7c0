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

from xlsxwriter.worksheet import Worksheet

from five_precisions.bulletin.document import Bulletin, Cell, Figure, Table, TableColumn
from five_precisions.bulletin.wording import day_name, quarter_name
from five_precisions.display import DEMO_MARK, NOTHING, Form, rounded, text_width
from five_precisions.workbooks import WIDEST_UPRIGHT, Book, count_lines, set_page, sheet_name, sheet_names, write_book

COVER: Final = "封面"
NOTES: Final = "说明"

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
_NARROWEST: Final = 7
_WIDEST: Final = 44
_LINE: Final = 15
"""Height of a line, in points."""
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
    with write_book(content, _properties(bulletin), in_memory=True) as book:
        book.workbook.set_custom_property("Language", "zh-CN")
        writer = _TablesWriter(book, bulletin)
        names = names_of_sheets(bulletin.tables)
        writer.write_cover(list(zip(names, bulletin.tables, strict=True)))
        writer.write_notes()
        for name, table in zip(names, bulletin.tables, strict=True):
            writer.write_table(name, table)
    return content.getvalue()


def names_of_sheets(tables: Sequence[Table]) -> list[str]:
    """A sheet's name for each table, from its title."""
    return sheet_names([(sheet_name(table.title) or table.code, "") for table in tables], taken=(COVER, NOTES))


def _properties(bulletin: Bulletin) -> dict[str, Any]:
    marks = [DEMO_MARK] if bulletin.is_demo else []
    return {
        "title": bulletin.title,
        "subject": f"{quarter_name(bulletin.quarter)}金融精准扶贫工作通报统计表",
        "author": bulletin.issuer,
        "company": bulletin.issuer,
        "keywords": "，".join(["金融精准扶贫", quarter_name(bulletin.quarter), bulletin.number, *marks]),
        # The day of issue, not the clock: the same bulletin gives the same bytes.
        "created": datetime.combine(bulletin.issued_on, time()),
    }


class _TablesWriter:
    """Writes the sheets of one bulletin's workbook."""

    def __init__(self, book: Book, bulletin: Bulletin) -> None:
        self._book = book
        self._bulletin = bulletin

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
            self._book.merge(sheet, row, 0, row, 2, text, style)
        head = len(lines) + 1
        for column, header in enumerate(("序号", "目录", "单位")):
            self._book.write_text(
                sheet, head, column, header, _HEAD | _BOX | {"align": "center", "bg_color": "#EDEDED"}
            )
        row = head
        for row, (target, title, unit) in enumerate(
            [(NOTES, NOTES, ""), *((name, table.title, table.unit) for name, table in contents)], start=head + 1
        ):
            sheet.write_number(row, 0, row - head, self._book.format(_BODY | _BOX | {"align": "center"}))
            self._book.write_link(sheet, row, 1, title, _LINK | _BOX | {"text_wrap": True}, to=target)
            self._book.write_text(sheet, row, 2, unit, _BODY | _BOX | {"text_wrap": True})
            sheet.set_row(row, _LINE * max(1.3, count_lines(title, 58), count_lines(unit, 15)))
        self._print(sheet, last_row=row, last_column=2, width=84)

    def write_notes(self) -> None:
        """Units, what the marks mean, and the footnotes."""
        sheet = self._sheet(NOTES)
        sheet.set_column(0, 0, 6)
        sheet.set_column(1, 1, 80)
        sheet.hide_gridlines(2)
        self._book.merge(sheet, 0, 0, 0, 1, "说明", _TITLE)
        sheet.set_row(0, 30)
        self._book.write_link(sheet, 1, 0, "目录", _LINK, to=COVER)
        row = 2
        cells = [str(cell) for table in self._bulletin.tables for row in table.rows for cell in row]
        marks = [note for mark, note in _MARKS.items() if any(cell.endswith(mark) for cell in cells)]
        blocks = [
            ("一、计量单位", _UNITS),
            ("二、符号和取整", (*marks, _ROUNDING)),
            ("三、注释", self._bulletin.footnotes),
        ]
        for heading, notes in blocks:
            self._book.write_text(sheet, row, 0, heading, _HEAD)
            sheet.set_row(row, 24)
            row += 1
            for number, note in enumerate(notes, start=1):
                sheet.write_number(row, 0, number, self._book.format(_LINES | {"align": "center"}))
                self._book.write_text(sheet, row, 1, note, _LINES)
                sheet.set_row(row, _LINE * (count_lines(note, 78) + 0.3))
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
        self._book.merge(sheet, 0, 0, 0, last, table.title, _TITLE)
        sheet.set_row(0, 30 * count_lines(table.title, sum(widths) * 11 // 16))
        self._write_line_below_title(sheet, table, last)
        first = self._write_head(sheet, table.columns, widths)
        for row, cells in enumerate(table.rows, start=first):
            is_total = table.has_total and row == first + len(table.rows) - 1
            style = _BOX | ({"bold": True, "bg_color": "#F2F2F2"} if is_total else {})
            lines = max(count_lines(str(cell or ""), int(widths[at]) - 1) for at, cell in enumerate(cells))
            sheet.set_row(row, _LINE * (0.3 + lines))
            for column, cell in enumerate(cells):
                self._cell(sheet, row, column, cell, table.columns[column], style, room_for_mark=marked[column])
        row = first + len(table.rows)
        if table.note:
            note = f"注：{table.note.removeprefix('注：')}"
            self._book.merge(sheet, row, 0, row, last, note, _LINES | {"font_size": 10})
            sheet.set_row(row, _LINE * (count_lines(note, sum(widths)) + 0.3))
            row += 1
        named = next((index for index, column in enumerate(table.columns[:2]) if column.form is Form.TEXT), -1)
        sheet.freeze_panes(first, named + 1)
        sheet.repeat_rows(2, first - 1)
        self._print(sheet, last_row=row - 1, last_column=last, width=sum(widths))

    def _write_line_below_title(self, sheet: Worksheet, table: Table, last: int) -> None:
        """A link back to the contents, and the unit."""
        parts = [f"【{DEMO_MARK}】"] if self._bulletin.is_demo else []
        parts += [f"单位：{table.unit}"] if table.unit else []
        self._book.write_link(sheet, 1, 0, "目录", _LINK, to=COVER)
        if last:
            self._book.merge(sheet, 1, 1, 1, last, "　".join(parts), _BODY | {"align": "right"})
        sheet.set_row(1, 20)

    def _write_head(self, sheet: Worksheet, columns: Sequence[TableColumn], widths: Sequence[float]) -> int:
        """The header rows from the third on, two where columns share a heading. Gives the first row of data."""
        style = _HEAD | _BOX | {"align": "center", "text_wrap": True, "bg_color": "#EDEDED"}
        has_groups = any(column.group for column in columns)
        bottom = 3 if has_groups else 2
        # A heading that some of a run of columns share is joined over that run only.
        for group, run in groupby(enumerate(columns), key=lambda each: each[1].group):
            at = [index for index, _ in run]
            if group:
                self._book.merge(sheet, 2, at[0], 2, at[-1], group, style)
            for index in at:
                if has_groups and not group:
                    self._book.merge(sheet, 2, index, bottom, index, columns[index].header, style)
                else:
                    self._book.write_text(sheet, bottom, index, columns[index].header, style)
        if has_groups:
            sheet.set_row(2, _LINE * 1.6)
        lines = max(count_lines(column.header, int(widths[index]) - 1) for index, column in enumerate(columns))
        sheet.set_row(bottom, _LINE * (lines + 0.6))
        return bottom + 1

    def _cell(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        cell: Cell,
        declared: TableColumn,
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
                self._book.format(_BODY | style | _aligned(cell.form) | {"num_format": number_format}),
            )
        elif cell is None:
            sheet.write_blank(row, column, None, self._book.format(_BODY | style))
        else:
            self._book.write_text(
                sheet, row, column, str(cell), _BODY | style | _aligned(declared.form) | {"text_wrap": True}
            )

    def _sheet(self, name: str) -> Worksheet:
        return self._book.add_sheet(name, f"&R{DEMO_MARK}" if self._bulletin.is_demo else "")

    @staticmethod
    def _print(sheet: Worksheet, *, last_row: int, last_column: int, width: float) -> None:
        set_page(sheet, landscape=width > WIDEST_UPRIGHT, side=0.5)
        sheet.center_horizontally()
        sheet.print_area(0, 0, last_row, last_column)


def _aligned(form: Form) -> dict[str, Any]:
    """Texts left, places in the middle, other numbers right, each off the line of the box."""
    if form is Form.RANK:
        return {"align": "center"}
    return {"align": "left" if form is Form.TEXT else "right", "indent": 1}


def _width(column: TableColumn, cells: Sequence[Cell]) -> float:
    """How wide a column must be, in characters; long headers and long texts are broken into lines."""
    header = text_width(column.header)
    if header > 12:
        header = -(-header // 3) + 2
    widest = max((text_width("" if cell is None else str(cell)) for cell in cells), default=0)
    return min(_WIDEST, max(_NARROWEST, header, widest) * 1.1 + 3)
