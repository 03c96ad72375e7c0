"""The empty workbook that an institution fills in (docs/intake.md#self-check).

The cover, a sheet for each report that its kind owes, the explanations. Every sheet is one that the intake knows, so
that a filled-in template is taken in without a finding, F07 included. For that, what explains the columns stands above
the header rows and in comments, and the code table beside the cover's own columns. No macros, no links to outside; the
same register gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from xlsxwriter.utility import xl_col_to_name, xl_range, xl_range_abs
from xlsxwriter.worksheet import Worksheet

from five_precisions.display import text_width
from five_precisions.errors import RefusedError, UsageError
from five_precisions.forms.template_notes import (
    LONGEST_PROMPT,
    LONGEST_PROMPT_TITLE,
    CodeList,
    ColumnNotes,
    Need,
    code_list,
    column_notes,
    scope_of,
    units_of,
)
from five_precisions.intake.level_words import LEVEL_WORDS
from five_precisions.intake.reading.cover import COVER_HEADERS, COVER_TITLE, EXPLANATION_HEADERS, EXPLANATIONS_TITLE
from five_precisions.period import Period
from five_precisions.register import Institution, Obligation, Register, load_register
from five_precisions.reports import Column, ColumnType, Report, Sensitivity, load_forms
from five_precisions.reports.cells import TOTAL_MARKS
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from five_precisions.workbooks import WIDEST_UPRIGHT, Book, count_lines, set_page, write_book

ROWS_PREPARED: Final = 100_000
"""Rows of a report with drop-down lists and checks; formats reach to the end of the sheet."""
ROWS_FORMATTED: Final = 100
"""Rows whose very cells are formatted, for programs that fill in a workbook do not look at the formats of columns. A
number that they write as text would lose its end when somebody edits the cell."""
HEADER_ROW: Final = 5
"""Of a report's sheet, from 1."""
COVER_HEADER_ROW: Final = 10

_FIRST: Final = HEADER_ROW
"""First row of data, from 0."""
_LAST: Final = _FIRST + ROWS_PREPARED - 1
_COVER_FIRST: Final = COVER_HEADER_ROW
_COVER_NOTES_FROM: Final = 2
_EXPLANATION_ROWS: Final = 1_000
_YES_NO: Final = ("是", "否")
_BESIDE: Final = ("合计金额口径", "表中行数", "表中合计", "核对")
_MONTH_AT: Final = len(COVER_HEADERS) + 1
"""Column of the cover, from 0, of the cell that names the month."""
_CODES_FROM: Final = len(COVER_HEADERS) + len(_BESIDE) + 1
"""First column of the code table on the cover, from 0; an empty one lies before it."""
_FIRST_DAY: Final = date(1950, 1, 1)
_LAST_DAY: Final = date(2099, 12, 31)
"""Days that the intake takes from a serial number."""
_SUSPICIOUSLY_LOW_PCT: Final = "0.5"
"""4.75% typed as a percentage is kept as 0.0475."""
_DIGITS_LOST_FROM: Final = "1E+15"
_MADE_ON: Final = datetime(2019, 1, 1)  # noqa: DTZ001 - XlsxWriter takes no zone; a fixed day, so that bytes are too
_SHEET_WIDTH_READ: Final = 100
"""Width of the text above a table, in characters: what a screen shows without scrolling."""
_PAGE_WIDTH: Final = 170
"""Widths of columns that A4 holds legibly across, in characters."""
_LINE: Final = 15

_BODY: Final = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
_HEAD: Final = {"font_name": "黑体", "font_size": 11, "valign": "vcenter", "align": "center", "text_wrap": True}
_BOX: Final = {"border": 1, "border_color": "#A6A6A6"}
_TITLE: Final = {"font_name": "黑体", "font_size": 16, "valign": "vcenter"}
_NOTE: Final = _BODY | {"font_size": 10, "font_color": "#404040", "text_wrap": True}
_HINT: Final = _BODY | {"font_size": 9, "font_color": "#595959", "text_wrap": True, "align": "center"}
_NEEDED: Final = {"bg_color": "#1F4E78", "font_color": "#FFFFFF"}
_SPARED: Final = {"bg_color": "#DDEBF7", "font_color": "#1F4E78"}
_TO_FILL: Final = {"bg_color": "#FFFBE6"}
_COMPUTED: Final = {"bg_color": "#F2F2F2", "font_color": "#595959"}
_MISSING: Final = {"bg_color": "#F8CBAD"}
_DOUBTFUL: Final = {"bg_color": "#FFE699"}
_FINE: Final = {"bg_color": "#C6EFCE", "font_color": "#006100"}
_TAB_OF_COVER: Final = "#C00000"
_TAB_WITHOUT_NIL: Final = "#1F4E78"
_TAB_WITH_NIL: Final = "#9DC3E6"
_TAB_OF_EXPLANATIONS: Final = "#A6A6A6"

_NUMBER_FORMATS: Final = {
    ColumnType.TEXT: "@",
    ColumnType.CHOICE: "@",
    ColumnType.YESNO: "@",
    ColumnType.DATE: "yyyy-mm-dd",
    ColumnType.INT: "0",
    ColumnType.YUAN: "#,##0.00",
    ColumnType.WAN: "#,##0.00",
    ColumnType.PCT: "0.00##",
}
_WIDTHS: Final = {ColumnType.DATE: 13.0, ColumnType.PCT: 15.0, ColumnType.YUAN: 17.0, ColumnType.WAN: 17.0}
_IDLE: Final = "未填报"


@dataclass(frozen=True, slots=True)
class _OwedReport:
    """One owed report, as the sheets need it."""

    report: Report
    nil_allowed: bool
    notes: tuple[ColumnNotes, ...]


def write_template(settings: Settings, institution_code: str, path: Path, period: Period | None = None) -> None:
    """Write the institution's empty workbook.

    Args:
        settings: Of this installation.
        institution_code: Who will fill it in.
        path: Where to write it.
        period: The month that its cover names, whose forms it holds, and for which reports are owed. None leaves the
            cell to the institution, and takes what it owes in any month.

    Raises:
        UsageError: the institution is not in the register or owes nothing, or the path is no place for an .xlsx file.
            Also where no month is named and the forms have just changed.
        RefusedError: another workbook stands at the path; it may be filled in.
        SetupError: the register, or a report's suite, is wrong.
    """
    register = load_register(settings.register_folder)
    institution = register.institution(institution_code)
    if institution is None:
        raise UsageError(f"{institution_code} is not an institution of the register.")
    if path.suffix.lower() != ".xlsx":
        raise UsageError(f"The template is an Excel workbook; {path.name} should end in .xlsx.")
    if period is None:
        _require_one_form()
    content = render_template(register, institution, period=period)
    try:
        if path.exists() and path.read_bytes() not in (b"", content):
            raise RefusedError(f"{path} is there already and may be filled in; name another file, or remove it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def render_template(
    register: Register,
    institution: Institution,
    reports: Mapping[str, Report] | None = None,
    *,
    period: Period | None = None,
) -> bytes:
    """The institution's empty workbook as an XLSX file; `reports` are the month's forms unless others are given.

    Without a month it holds the forms of the current one.

    Raises:
        UsageError: the institution owes no report, or none for the month.
        SetupError: a report's suite is missing or wrong.
    """
    month = Period.current() if period is None else period
    forms = load_forms(month) if reports is None else reports
    parts = [
        _OwedReport(forms[code], obligation.nil_allowed, column_notes(forms[code], month))
        for code, obligation in _owed(register, institution, period).items()
        if code in forms
    ]
    if not parts:
        raise UsageError(_owes_nothing(register, institution, period))
    content = BytesIO()
    properties = {"title": f"月度报送模板（{institution.code}）", "author": "", "created": _MADE_ON}
    with write_book(content, properties, in_memory=True) as book:
        _TemplateWriter(book, register, institution, parts, period).write()
    return content.getvalue()


def _require_one_form() -> None:
    """Refuse to leave the month open where this month's forms are others than last month's.

    Raises:
        UsageError: they are; last month is reported now, and this one soon.
    """
    now = Period.current()
    if load_forms(now) != load_forms(now.previous()):
        raise UsageError(f"The forms of {now.previous()} and {now} differ; name the month with --period.")


def _owed(register: Register, institution: Institution, period: Period | None) -> Mapping[str, Obligation]:
    """What the institution owes for the month; without one, whatever it owes in some month."""
    if period is not None:
        return register.owed_by(institution, period)
    return {code: each[-1] for code, each in register.obligations_of(institution.kind).items()}


def _owes_nothing(register: Register, institution: Institution, period: Period | None) -> str:
    if not register.obligations_of(institution.kind):
        return f"{institution.code} owes no report: the register has no obligation of a {institution.kind}."
    if period is not None and not institution.is_open_in(period):
        return f"{institution.code} owes no report for {period}: it is not open then."
    return f"{institution.code} owes no report for {period}; obligations.csv says for which months it does."


class _TemplateWriter:
    """Writes the sheets of one institution's template."""

    def __init__(
        self,
        book: Book,
        register: Register,
        institution: Institution,
        parts: Sequence[_OwedReport],
        period: Period | None,
    ) -> None:
        self._book = book
        self._register = register
        self._institution = institution
        self._parts = parts
        self._period = period
        self._lists: dict[str, str] = {}
        """Name of a code list → the range that holds its codes."""

    def write(self) -> None:
        """All sheets: cover, reports, explanations."""
        self._write_cover()
        for part in self._parts:
            self._write_report(part)
        self._write_explanations()

    # The cover

    def _write_cover(self) -> None:
        sheet = self._sheet(COVER_TITLE, _TAB_OF_COVER)
        who = self._institution
        last = len(COVER_HEADERS) + len(_BESIDE) - 1
        for column, width in enumerate((30, 10, 20, 10, 12, 18, 24, 11, 19, 34)):
            sheet.set_column(column, column, width)
        self._merge(sheet, 0, last, "金融精准扶贫月度报送说明", _TITLE, 30)
        self._merge(sheet, 1, _MONTH_AT - 2, f"填报机构：{who.name}（{who.code}）", _BODY, 22)
        self._write_month(sheet)
        for row, note in enumerate(self._cover_notes(), start=_COVER_NOTES_FROM):
            self._merge(
                sheet, row, last, f"{row - _COVER_NOTES_FROM + 1}. {note}", _NOTE, _LINE * count_lines(note, 185) + 4
            )
        head = COVER_HEADER_ROW - 1
        for column, header in enumerate(COVER_HEADERS):
            self._book.write_text(sheet, head, column, header, _HEAD | _BOX | _NEEDED)
        for column, header in enumerate(_BESIDE, start=len(COVER_HEADERS)):
            self._book.write_text(sheet, head, column, header, _HEAD | _BOX | _COMPUTED)
        sheet.set_row(head, 24)
        for row, part in enumerate(self._parts, start=_COVER_FIRST):
            self._write_cover_line(sheet, row, part)
            sheet.set_row(row, 22)
        end = _COVER_FIRST + len(self._parts) - 1
        self._validate_cover(sheet, end)
        checked = xl_range(_COVER_FIRST, last, end, last)
        first = xl_range(_COVER_FIRST, last, _COVER_FIRST, last)
        for condition, style in (
            (f'OR({first}="一致",{first}="零报送")', _FINE),
            (f'LEFT({first},{len(_IDLE)})<>"{_IDLE}"', _MISSING),
        ):
            sheet.conditional_format(
                checked,
                {
                    "type": "formula",
                    "criteria": f"={condition}",
                    "format": self._book.format(style),
                    "stop_if_true": True,
                },
            )
        self._write_codes(sheet, head)
        sheet.freeze_panes(COVER_HEADER_ROW, 1)
        self._print(sheet, end, last, head, width=_PAGE_WIDTH)

    def _write_month(self, sheet: Worksheet) -> None:
        """Of which month the package is: what it says is held against the folder that it lies in."""
        self._book.write_text(sheet, 1, _MONTH_AT - 1, "报送月份", _BODY | {"align": "right"})
        month = "" if self._period is None else self._period.words
        style = _BODY | _BOX | _TO_FILL | {"num_format": "@", "align": "center"}
        self._book.merge(sheet, 1, _MONTH_AT, 1, _MONTH_AT + 1, month, style)
        message = "报表所属的月份，如2019年6月；与报送文件夹的月份一致。"
        length = {"validate": "length", "criteria": "<=", "value": len("2019年12月") + 1}
        sheet.data_validation(
            1, _MONTH_AT, 1, _MONTH_AT, length | _said("报送月份", message, "请填写年和月，如2019年6月。")
        )

    def _cover_notes(self) -> tuple[str, ...]:
        return (
            (
                f"每张报表填在同名的工作表内，从第{HEADER_ROW + 1}行起逐行填写，空行不计；表头不要改动、删除。"
                "深色表头必填，浅色表头按条件填或选填；鼠标指向表头，可看这一列的填写要求和检查规则。"
            ),
            (
                "行数按数据行填写，不含合计行。合计金额按“合计金额口径”一栏所列项目填写，单位与该项目相同，"
                "最好取自业务系统；口径为“—”的不填。灰色各栏由公式算出，供核对之用，不作为报送内容。"
            ),
            "本期确无数据的表，零报送选“是”，行数填0，合计金额不填或填0，其工作表不填数据；“核对”栏注明“不可零报送”的表除外。",
            (
                "证件号码、账号、电话、编号各列已设为文本格式。从别处复制时请用“选择性粘贴”的“数值”，保留本表格式，"
                "以免长号码变成科学记数法而丢失末位。"
            ),
            f"检查结果为“{LEVEL_WORDS[Level.WARNING]}”、情况属实的，在“情况说明”表内说明；没有需要说明的，该表留空。",
            (
                "报送人、联系电话只需填在第一行。右侧是填表所用的代码表。报送前可自查："
                f"five-precisions check 文件名 --institution {self._institution.code} --period 年-月 --out 结果.xlsx。"
            ),
        )

    def _write_cover_line(self, sheet: Worksheet, row: int, part: _OwedReport) -> None:
        report = part.report
        control = report.control_column
        link = _BODY | _BOX | {"font_color": "#0563C1", "underline": 1}
        self._book.write_link(sheet, row, 0, report.title, link, to=report.title, cell=f"A{_FIRST + 1}")
        style = _BODY | _BOX | _TO_FILL
        sheet.write_blank(row, 1, None, self._book.format(style | {"num_format": "0"}))
        without_total = style if control else _BODY | _BOX | _COMPUTED
        sheet.write_blank(row, 2, None, self._book.format(without_total | {"num_format": "#,##0.00"}))
        self._book.write_text(sheet, row, 3, "否", style | {"align": "center"})
        for column in (4, 5):
            sheet.write_blank(row, column, None, self._book.format(style | {"num_format": "@"}))
        grey = _BODY | _BOX | _COMPUTED | {"indent": 1}
        unit = "" if control is None else f"{control.header}（{'元' if control.type is ColumnType.YUAN else '万元'}）"
        self._book.write_text(sheet, row, 6, unit or "—", grey | {"text_wrap": True})
        count = self._book.format(grey | {"num_format": "0", "align": "right"})
        sheet.write_formula(row, 7, f"={_counted(report)}", count, 0)
        if control is None:
            self._book.write_text(sheet, row, 8, "—", grey | {"align": "right"})
        else:
            amount = self._book.format(grey | {"num_format": "#,##0.00", "align": "right"})
            sheet.write_formula(row, 8, f"={_summed(report, control)}", amount, 0)
        checked = self._book.format(grey | {"text_wrap": True})
        idle = _IDLE if part.nil_allowed else f"{_IDLE}（不可零报送）"
        sheet.write_formula(row, 9, f"={_compared(row + 1, report, control, idle)}", checked, idle)

    def _validate_cover(self, sheet: Worksheet, end: int) -> None:
        count = {"validate": "integer", "criteria": ">=", "value": 0}
        sheet.data_validation(
            _COVER_FIRST,
            1,
            end,
            1,
            count | _said("行数", "数据行数，不含表头和合计行；零报送填0。", "请填写不小于0的整数。"),
        )
        amount = {"validate": "decimal", "criteria": ">=", "value": 0}
        message = "按“合计金额口径”一栏所列项目的合计数填写；口径为“—”的和零报送的不填。"
        sheet.data_validation(_COVER_FIRST, 2, end, 2, amount | _said("合计金额", message, "请填写不小于0的数字。"))
        for row, part in enumerate(self._parts, start=_COVER_FIRST):
            allowed = _YES_NO if part.nil_allowed else ("否",)
            message = "本期确无数据的选“是”，有数据的选“否”。" if part.nil_allowed else "本表不允许零报送。"
            choice = {"validate": "list", "source": list(allowed)}
            sheet.data_validation(row, 3, row, 3, choice | _said("零报送", message, f"请选择：{'、'.join(allowed)}。"))
        for column, header, longest in ((4, "报送人", 30), (5, "联系电话", 40)):
            length = {"validate": "length", "criteria": "<=", "value": longest}
            message = "只需填在第一行。"
            sheet.data_validation(
                _COVER_FIRST, column, end, column, length | _said(header, message, f"不超过{longest}个字符。")
            )

    def _write_codes(self, sheet: Worksheet, head: int) -> None:
        """The code table beside the cover; codes are texts, as the columns that take them are."""
        column = _CODES_FROM
        sheet.set_column(column - 1, column - 1, 3)
        lists = self._code_lists()
        if lists:
            self._book.write_text(
                sheet, head - 1, column, "代码表（供填写和下拉选择，不必报送）", _BODY | {"font_color": "#404040"}
            )
        for name, codes in lists.items():
            for offset, header in enumerate(codes.headers):
                cells = [header, *(row[offset] for row in codes.rows)]
                sheet.set_column(column + offset, column + offset, max(map(text_width, cells)) * 1.1 + 3)
                self._book.write_text(sheet, head, column + offset, header, _HEAD | _BOX | _SPARED)
                for row, cell in enumerate(cells[1:], start=head + 1):
                    self._book.write_text(sheet, row, column + offset, cell, _BODY | _BOX | {"num_format": "@"})
            places = xl_range_abs(head + 1, column, head + len(codes.rows), column)
            self._lists[name] = f"='{COVER_TITLE}'!{places}"
            sheet.set_column(column + len(codes.headers), column + len(codes.headers), 3)
            column += len(codes.headers) + 1

    def _code_lists(self) -> dict[str, CodeList]:
        """What drop-down lists need the cover for: codes of the register, and choices too long to be written in."""
        lists: dict[str, CodeList] = {}
        for part in self._parts:
            for notes in part.notes:
                if notes.codes and notes.codes not in lists:
                    codes = code_list(notes.codes, self._register, self._institution)
                    if codes is not None and codes.rows:
                        lists[notes.codes] = codes
                elif notes.column.of and _as_literal(notes.column.of) is None:
                    choices = CodeList((notes.column.header,), tuple((choice,) for choice in notes.column.of))
                    lists[_choices_name(part.report, notes.column)] = choices
        return lists

    # A report

    def _write_report(self, part: _OwedReport) -> None:
        report = part.report
        sheet = self._sheet(report.title, _TAB_WITH_NIL if part.nil_allowed else _TAB_WITHOUT_NIL)
        widths = [_width(notes) for notes in part.notes]
        for column, notes in enumerate(part.notes):
            # The format of the whole column: whatever is typed or pasted anywhere below keeps its digits.
            sheet.set_column(column, column, widths[column], self._book.format(_cell_style(notes.column)))
        last = len(widths) - 1
        across, room = 0, widths[0]
        while across < last and (room < _SHEET_WIDTH_READ or sum(widths) < 1.5 * _SHEET_WIDTH_READ):
            across += 1
            room += widths[across]
        self._merge(sheet, 0, across, report.title, _TITLE, 28 * count_lines(report.title, room * 11 / 16))
        for row, note in enumerate(self._report_notes(part), start=1):
            self._merge(sheet, row, across, note, _NOTE, _LINE * count_lines(note, room * 1.05) + 3)
        hints, head = HEADER_ROW - 2, HEADER_ROW - 1
        for column, notes in enumerate(part.notes):
            self._book.write_text(sheet, hints, column, notes.hint, _HINT | _BOX | {"num_format": "General"})
            style = _NEEDED if notes.need is Need.ALWAYS else _SPARED
            self._book.write_text(
                sheet, head, column, notes.column.header, _HEAD | _BOX | style | {"num_format": "General"}
            )
            self._comment(sheet, head, column, notes.comment)
            self._validate(sheet, column, part, notes)
            for row in range(_FIRST, _FIRST + ROWS_FORMATTED):
                sheet.write_blank(row, column, None, self._book.format(_cell_style(notes.column)))
        sheet.set_row(
            hints, 13 * max(count_lines(notes.hint, widths[at] * 1.1) for at, notes in enumerate(part.notes)) + 4
        )
        sheet.set_row(head, 24)
        self._mark_doubtful_cells(sheet, part)
        sheet.freeze_panes(HEADER_ROW, 1)
        self._print(sheet, None, last, head, width=sum(widths))

    def _report_notes(self, part: _OwedReport) -> tuple[str, str]:
        who, units = self._institution, units_of(part.report)
        has_pct = any(notes.column.type is ColumnType.PCT for notes in part.notes)
        low = "，或百分数疑似按小数填写" if has_pct else ""
        parts = [
            f"填报机构：{who.name}（{who.code}）",
            f"报送范围：{scope_of(part.report)}",
            *([f"金额单位：{units}"] if units else []),
            "可零报送" if part.nil_allowed else "不可零报送",
        ]
        return (
            "　　".join(parts),
            (
                "深色表头必填，浅色表头按条件填或选填，鼠标指向表头可看规则。"
                f"浅红单元格：必填未填，或长号码变成了数字；浅黄单元格：数字存成了文本{low}。"
            ),
        )

    def _validate(self, sheet: Worksheet, at: int, part: _OwedReport, notes: ColumnNotes) -> None:
        column = notes.column
        error = f"{column.header}：请填写{column.expected}。"
        # Whoever reads on 14 July may have got the template in January: a newer code is asked about, not refused.
        is_open_list = notes.codes in self._lists
        if is_open_list:
            error = f"{column.header}不在代码表内，请核对。登记册新增的代码可以继续填写。"
        rule = self._rule_of_cell(part.report, notes)
        options = {**rule, **_said(column.header, notes.prompt, error)}
        if is_open_list:
            options["error_type"] = "warning"
        sheet.data_validation(_FIRST, at, _LAST, at, options)

    def _rule_of_cell(self, report: Report, notes: ColumnNotes) -> dict[str, Any]:
        column = notes.column
        listed = self._lists.get(notes.codes or _choices_name(report, column))
        if listed is not None:
            return {"validate": "list", "source": listed}
        match column.type:
            case ColumnType.YESNO:
                return {"validate": "list", "source": list(_YES_NO)}
            case ColumnType.CHOICE:
                return {"validate": "list", "source": list(column.of)}
            case ColumnType.TEXT if column.sensitive is Sensitivity.ID:
                return {"validate": "length", "criteria": "==", "value": column.max}
            case ColumnType.TEXT:
                return {"validate": "length", "criteria": "<=", "value": column.max}
            case ColumnType.DATE:
                return {"validate": "date", "criteria": "between", "minimum": _FIRST_DAY, "maximum": _LAST_DAY}
            case ColumnType.INT if column.max is not None:
                return {"validate": "integer", "criteria": "between", "minimum": column.min, "maximum": column.max}
            case ColumnType.INT:
                return {"validate": "integer", "criteria": ">=", "value": column.min}
            case ColumnType.PCT:
                return {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100}
            case ColumnType.YUAN | ColumnType.WAN:
                return {"validate": "decimal", "criteria": ">=", "value": 0}

    def _mark_doubtful_cells(self, sheet: Worksheet, part: _OwedReport) -> None:
        """Colours for what the checks would name, and lines around rows that are filled in."""
        last = len(part.notes) - 1
        row = f"$A{_FIRST + 1}:${xl_col_to_name(last)}{_FIRST + 1}"
        is_data = f"COUNTA({row})>0" + "".join(f',$A{_FIRST + 1}<>"{mark}"' for mark in sorted(TOTAL_MARKS))
        types = [notes.column.type for notes in part.notes]
        numbers = (ColumnType.INT, ColumnType.YUAN, ColumnType.WAN, ColumnType.PCT)
        conditions = (
            ([notes.need is Need.ALWAYS for notes in part.notes], f"AND({is_data},LEN({{cell}})=0)", _MISSING),
            (
                [each is ColumnType.TEXT for each in types],
                f"AND(ISNUMBER({{cell}}),{{cell}}>={_DIGITS_LOST_FROM})",
                _MISSING,
            ),
            ([each in numbers for each in types], "AND(ISTEXT({cell}),LEN({cell})>0)", _DOUBTFUL),
            (
                [each is ColumnType.PCT for each in types],
                f"AND(ISNUMBER({{cell}}),{{cell}}>0,{{cell}}<{_SUSPICIOUSLY_LOW_PCT})",
                _DOUBTFUL,
            ),
            ([True] * len(types), f"COUNTA({row})>0", _BOX),
        )
        texts = [
            xl_range(_FIRST, begin, _LAST, end) for begin, end in _runs([each is ColumnType.TEXT for each in types])
        ]
        # Codes of digits are texts on purpose: no green corner in every cell.
        sheet.ignore_errors({"number_stored_as_text": " ".join(texts)})
        for chosen, condition, style in conditions:
            runs = _runs(chosen)
            if not runs:
                continue
            ranges = [xl_range(_FIRST, begin, _LAST, end) for begin, end in runs]
            cell = f"{xl_col_to_name(runs[0][0])}{_FIRST + 1}"
            sheet.conditional_format(
                ranges[0],
                {
                    "type": "formula",
                    "criteria": "=" + condition.format(cell=cell),
                    "format": self._book.format(style),
                    "multi_range": " ".join(ranges),
                },
            )

    # The explanations

    def _write_explanations(self) -> None:
        sheet = self._sheet(EXPLANATIONS_TITLE, _TAB_OF_EXPLANATIONS)
        for column, width in enumerate((30, 10, 36, 70)):
            sheet.set_column(
                column, column, width, self._book.format(_BODY | {"num_format": "@", "text_wrap": column == 3})
            )
        last = len(EXPLANATION_HEADERS) - 1
        self._merge(sheet, 0, last, "情况说明", _TITLE, 28)
        for row, note in enumerate(
            (
                (
                    f"检查结果为“{LEVEL_WORDS[Level.WARNING]}”、经核实情况属实的，在此逐条说明；没有需要说明的，本表留空。"
                    "同一数值说明一次即可，以后各月自动沿用；数值变动后须重新说明。"
                ),
                (
                    "报表、规则、主键照“问题清单”填写。例：报表“金融精准扶贫贷款台账”，规则“L10”，主键“HT-2019-001”，"
                    "说明“经总行批准的两户联保贷款，批文号……”。"
                ),
            ),
            start=1,
        ):
            self._merge(sheet, row, last, note, _NOTE, _LINE * count_lines(note, 150) + 4)
        head = HEADER_ROW - 1
        for column, header in enumerate(EXPLANATION_HEADERS):
            self._book.write_text(sheet, head, column, header, _HEAD | _BOX | _NEEDED | {"num_format": "General"})
        sheet.set_row(head, 24)
        titles = f"='{COVER_TITLE}'!{xl_range_abs(_COVER_FIRST, 0, _COVER_FIRST + len(self._parts) - 1, 0)}"
        choice = {"validate": "list", "source": titles}
        sheet.data_validation(
            _FIRST,
            0,
            _FIRST + _EXPLANATION_ROWS - 1,
            0,
            choice | _said("报表", "请从下拉列表中选择。", "请从下拉列表中选择报表。"),
        )
        sheet.freeze_panes(HEADER_ROW, 0)
        self._print(sheet, None, last, head, width=_PAGE_WIDTH)

    # Pieces

    def _sheet(self, name: str, tab: str) -> Worksheet:
        sheet = self._book.add_sheet(name, f"&L{self._institution.code}&R&A")
        sheet.set_tab_color(tab)
        sheet.set_comments_author("")
        return sheet

    @staticmethod
    def _print(sheet: Worksheet, last_row: int | None, last_column: int, head: int, *, width: float) -> None:
        across = max(1, round(width / _PAGE_WIDTH))
        set_page(sheet, landscape=width > WIDEST_UPRIGHT, side=0.4, pages_across=across)
        sheet.repeat_rows(head)
        sheet.repeat_columns(0)
        if last_row is not None:
            sheet.print_area(0, 0, last_row, last_column)

    def _merge(self, sheet: Worksheet, row: int, last: int, text: str, style: Mapping[str, Any], height: float) -> None:
        sheet.set_row(row, height)
        self._book.merge(sheet, row, 0, row, last, text, style)

    @staticmethod
    def _comment(sheet: Worksheet, row: int, column: int, text: str) -> None:
        width = 52
        sheet.write_comment(
            row,
            column,
            text,
            {
                "width": 390,
                "height": 17 * count_lines(text, width) + 14,
                "font_name": "宋体",
                "font_size": 9,
                "color": "#FFFFE1",
            },
        )


def _said(title: str, message: str, error: str) -> dict[str, Any]:
    """What a validation says before and after; Excel refuses longer texts, and the whole workbook with them."""
    return {
        "input_title": title[:LONGEST_PROMPT_TITLE],
        "input_message": message[:LONGEST_PROMPT],
        "error_title": title[:LONGEST_PROMPT_TITLE],
        "error_message": error[:LONGEST_PROMPT],
    }


def _as_literal(choices: Sequence[str]) -> str | None:
    """Choices as a list inside a validation; None where they are too long for it, or hold its separator."""
    literal = ",".join(choices)
    is_plain = not any("," in choice or '"' in choice for choice in choices)
    return literal if is_plain and len(literal) <= LONGEST_PROMPT else None


def _choices_name(report: Report, column: Column) -> str:
    return f"{report.code}.{column.name}"


def _cell_style(column: Column) -> dict[str, Any]:
    style = _BODY | {"num_format": _NUMBER_FORMATS[column.type]}
    is_short = column.type in (ColumnType.YESNO, ColumnType.CHOICE, ColumnType.DATE)
    return style | {"align": "center"} if is_short else style


def _width(notes: ColumnNotes) -> float:
    """How wide a column must be for its header, its hint and what it will hold, in characters."""
    column = notes.column
    wanted = _WIDTHS.get(column.type, 9.0)
    if column.type is ColumnType.TEXT and column.max is not None:
        wanted = 40.0 if column.max >= 100 else min(26.0, column.max * 0.5 + 8)
        wanted = 22.0 if column.sensitive is Sensitivity.ID else wanted
    if column.type is ColumnType.CHOICE:
        wanted = max(map(text_width, column.of)) + 4.0
    return max(wanted, text_width(column.header) * 1.15 + 3, 10.0)


def _runs(chosen: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last position of every run of chosen ones."""
    runs: list[tuple[int, int]] = []
    for position, is_chosen in enumerate(chosen):
        if is_chosen and runs and runs[-1][1] == position - 1:
            runs[-1] = (runs[-1][0], position)
        elif is_chosen:
            runs.append((position, position))
    return runs


def _places(report: Report, column: Column) -> str:
    at = report.columns.index(column)
    return f"'{report.title}'!{xl_range_abs(_FIRST, at, _LAST, at)}"


def _counted(report: Report) -> str:
    """A formula: rows of the report, by its first column, without total rows."""
    first = _places(report, report.columns[0])
    return f"COUNTA({first})" + "".join(f'-COUNTIF({first},"{mark}")' for mark in sorted(TOTAL_MARKS))


def _summed(report: Report, control: Column) -> str:
    """A formula: the sum of the control column without total rows."""
    first, amounts = _places(report, report.columns[0]), _places(report, control)
    return f"SUM({amounts})" + "".join(f'-SUMIF({first},"{mark}",{amounts})' for mark in sorted(TOTAL_MARKS))


def _compared(row: int, report: Report, control: Column | None, idle: str) -> str:
    """A formula: whether the line of the cover agrees with the report's sheet."""
    rows, total, nil, found, summed = (f"{letter}{row}" for letter in "BCDHI")
    agrees = '"一致"'
    if control is not None:
        amounts = _places(report, control)
        is_text = f"COUNTA({amounts})<>COUNT({amounts})"
        agrees = (
            f'IF({is_text},"有金额存成了文本，请改为数字后再核对",'
            f'IF(ROUND(N({total})-{summed},2)<>0,"合计金额与表中合计不符",{agrees}))'
        )
    agrees = f'IF({rows}="","请填写行数",IF({rows}<>{found},"行数与表中行数不符",{agrees}))'
    nothing = f'IF(N({rows})+N({total})<>0,"零报送的行数、合计金额应为0","零报送")'
    return f'IF({nil}="是",IF({found}>0,"表中有数据，与零报送不符",{nothing}),IF({found}=0,"{idle}",{agrees}))'
