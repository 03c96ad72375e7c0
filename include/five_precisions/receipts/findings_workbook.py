"""The findings workbook: 问题清单 in front, then the delivered sheets with the findings on their cells.

See docs/intake.md.

What is shown of a sheet is decided by its headers alone (docs/reports.md#sensitive-columns). In a sheet whose
header row is found, sensitive columns are masked and columns that no form declares are emptied; a misspelt header
declares nothing. Of a sheet whose header row is not found nobody knows what its columns hold: of its rows only the
forms' own words are left. A row that is one line of prose, as in 封面 and 填表说明, is no table's: it is kept like a
form's title.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto
from functools import lru_cache
from io import BytesIO
from itertools import chain, zip_longest
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

from xlsxwriter.worksheet import Worksheet

from five_precisions.display import DEMO_MARK, text_width
from five_precisions.intake.findings import Finding, printable
from five_precisions.intake.level_words import LEVEL_WORDS
from five_precisions.intake.reading.cover import (
    COVER,
    COVER_HEADERS,
    COVER_TITLE,
    EXPLANATION_HEADERS,
    EXPLANATIONS,
    EXPLANATIONS_TITLE,
)
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.headers import WantedHeaders, normal_header
from five_precisions.intake.reading.layout import find_headers
from five_precisions.own_files import kept_while_same
from five_precisions.reports import Column, Report, Sensitivity, load_reports
from five_precisions.reports.cells import TOTAL_MARKS, Cell, cell_text
from five_precisions.reports.level import Level
from five_precisions.reports.masking import mask, mask_digit_runs, mask_phones
from five_precisions.workbooks import (
    Book,
    RowSheet,
    beginning,
    count_lines,
    set_page,
    sheet_name,
    sheet_names,
    write_book,
)

LIST: Final = "问题清单"
LIST_HEADERS: Final = (
    "序号", "报表", "规则", "级别", "行号", "列名", "单元格", "主键", "报送值", "期望", "说明",
)  # fmt: skip
EXPLAINED: Final = "已说明"
OF_NO_REPORT: Final = "报送包"
"""What stands for the report of a finding that belongs to none."""
MOST_SHEET_ROWS: Final = 20_000
"""Rows of a sheet beyond which the list alone is given (docs/intake.md#the-receipt)."""

_MOST_CELLS: Final = 2_000_000
"""Cells of all sheets together: what a package of the largest size allowed could hold takes hours to write."""
_MOST_SHEETS: Final = 200
"""Each sheet keeps a file open while the workbook is written."""
_LIST_ROWS: Final = 1_000_000
"""Findings on one sheet; a spreadsheet has 1,048,576 rows."""
_MOST_LINKS: Final = 60_000
"""A spreadsheet takes 65,530 links on a sheet."""
_MOST_COMMENTS: Final = 60_000
"""On one sheet: more of them no spreadsheet opens in bearable time. The cells beyond are coloured all the same."""
_MESSAGES_OF_A_CELL: Final = 5

_COVER_PHONE: Final = "联系电话"
_SHORTEST_MASKED: Final = 11
"""Characters: no phone and no run of digits that is masked has fewer."""
_TEXT_OR_NOTHING: Final = frozenset({str, type(None)})
_ROWS_AT_ONCE: Final = 1_000
_DIGITS_IN_A_ROW: Final = 10
"""As many may be shown: a run of eleven is masked."""
_FIRST_SERIAL_DAY: Final = date(1900, 3, 1)
"""Before it, spreadsheets do not agree about the number of a day."""
_LONGEST_COMMENT: Final = 1_500
_NOT_IN_XML: Final = re.compile("[\ufffe\uffff]")
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_PROSE: Final = re.compile("[，。；：]|[一二三四五六七八九十0-9]+[、.．].{4}")
_TITLE: Final = re.compile("[年月]|[报表]表?|说明|封面")
"""Of a sheet, in its first row; a name or an enterprise's name has nothing of it."""

_SYSTEM: Final = "金融精准扶贫监测系统"
_NOTE: Final = "请在原文件中更正后重新报送。本工作簿中的敏感内容已隐去，不能直接用于报送。"
_EMPTIED: Final = "未能识别本表的表头，无法确认哪些内容敏感，因此这里只重复标题和说明文字；请对照原文件查看。"
_BODY: Final = {"font_name": "宋体", "font_size": 10, "valign": "top"}
_HEAD: Final = {
    "font_name": "黑体", "font_size": 10, "valign": "vcenter", "align": "center", "text_wrap": True,
    "bg_color": "#E7E6E6", "border": 1, "border_color": "#A6A6A6",
}  # fmt: skip
_TEXT: Final = {"align": "left", "indent": 1}
_DAY: Final = {"num_format": "yyyy-mm-dd"}
_BOX: Final = {"border": 1, "border_color": "#BFBFBF"}
_WRAPPED: Final = _BODY | _BOX | {"text_wrap": True, "valign": "vcenter"}
_MIDDLE: Final = _BODY | _BOX | {"align": "center", "valign": "vcenter"}
_LINK: Final = {"font_color": "#0563C1", "underline": 1}
_COMMENT: Final = {"author": _SYSTEM, "font_name": "宋体", "font_size": 9, "width": 260, "color": "#FFFFE1"}
_LINE: Final = 13.5
"""Height of a line, in points."""
_MOST_LINES: Final = 20
_COMMENT_LINE: Final = 15
"""Height of a comment's line, in pixels."""
_COMMENT_CHARACTERS: Final = 38
"""Latin characters that such a line holds."""
_WIDTHS: Final = (6, 23, 7, 9, 8, 16, 9, 20, 20, 24, 56)
"""Of the list's columns, in characters."""
_SAMPLED_ROWS: Final = 200
_NARROWEST: Final = 6
_WIDEST: Final = 30


class Severity(Enum):
    """How a finding is coloured, the gravest first."""

    ERROR = auto()
    WARNING = auto()
    EXPLAINED = auto()
    NOTICE = auto()

    @classmethod
    def of(cls, finding: Finding) -> Severity:
        """The severity of a finding: a warning that the institution has explained weighs less."""
        match finding.level:
            case Level.CRITICAL:
                return cls.ERROR
            case Level.WARNING:
                return cls.EXPLAINED if finding.explanation is not None else cls.WARNING
            case Level.NOTICE:
                return cls.NOTICE

    @property
    def style(self) -> dict[str, Any]:
        """Ground and colour of a cell; they differ in print without colours too."""
        ground, colour = {
            Severity.ERROR: ("#FFC7CE", "#9C0006"),
            Severity.WARNING: ("#FFEB9C", "#7F4F00"),
            Severity.EXPLAINED: ("#E2EFDA", "#375623"),
            Severity.NOTICE: ("#DDEBF7", "#1F4E78"),
        }[self]
        return {"bg_color": ground, "font_color": colour}


@dataclass(frozen=True, slots=True)
class MaskedSheet:
    """A delivered sheet as the workbook may show it: nothing sensitive is left in it."""

    file: str
    """As findings name it."""
    name: str | None
    rows: list[list[Cell]]
    """From row 1, column A, as delivered."""
    header_row: int
    """As in the file, from 1; 0 = no header row was found."""
    is_emptied: bool = False
    """Whether cells were left out because nobody knows what they hold."""


# What may be shown of a sheet


class _Unknown:
    """Marks a column that no form declares."""


_Treatment = Sensitivity | type[_Unknown] | None


@dataclass(frozen=True, slots=True)
class _Form:
    """Headers that belong together, with what is sensitive below them."""

    names: frozenset[str]
    """Of sheets and files, in normal form."""
    wanted: WantedHeaders
    headers: Mapping[str, Sensitivity | None]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a sheet's columns are taken when it is held against a form."""

    header_row: int
    header_rows: int
    columns: Mapping[int, Sensitivity | None]
    """Known columns, from 0."""


def mask_sheets(sheets: Iterable[Sheet]) -> list[MaskedSheet]:
    """What the workbook shows of the delivered sheets; those beyond its limits stand in the list of findings alone.

    Sheets may be read as they are asked for: none is kept but in its masked form.
    """
    masked: list[MaskedSheet] = []
    left = _MOST_CELLS
    for sheet in sheets:
        rows = _without_empty_end(sheet.rows)
        cells = sum(map(len, rows))
        if len(rows) > MOST_SHEET_ROWS or cells > left or len(masked) == _MOST_SHEETS:
            continue
        left -= cells
        masked.append(_mask_sheet(sheet, rows))
    return masked


def fits_workbook(sheet: Sheet) -> bool:
    """Whether a sheet is small enough to be shown, were it the only one."""
    rows = _without_empty_end(sheet.rows)
    return len(rows) <= MOST_SHEET_ROWS and sum(map(len, rows)) <= _MOST_CELLS


def _without_empty_end(rows: list[list[Cell]]) -> list[list[Cell]]:
    """The rows up to the last one with anything in it: a form may be formatted a million rows down."""
    end = len(rows)
    while end and not any(cell not in (None, "") for cell in rows[end - 1]):
        end -= 1
    return rows[:end]


def _mask_sheet(sheet: Sheet, rows: list[list[Cell]]) -> MaskedSheet:
    reading = _read_head(sheet, rows)
    file, name = printable(sheet.file), None if sheet.name is None else printable(sheet.name)
    if reading is None:
        kept = [_row_without_head(number, row) for number, row in enumerate(rows)]
        return MaskedSheet(file, name, kept, 0, is_emptied=sum(map(_filled, kept)) < sum(map(_filled, rows)))
    head = range(reading.header_row - reading.header_rows, reading.header_row)
    width = max(map(len, rows), default=0)
    treatments: list[_Treatment] = [reading.columns.get(column, _Unknown) for column in range(width)]
    filled = max(_filled(rows[number]) for number in head)
    masked: list[list[Cell]] = []
    for number, row in enumerate(rows[: head.stop]):
        # A row above the headers that is as full as they are is no title, whatever else it may be.
        if number in head or 2 * _filled(row) < filled:
            masked.append([_masked_title(cell) for cell in row])
        else:
            masked += _mask_rows([row], treatments)
    # In pieces: what may stay as it is, is seen at a glance where a column holds nothing else.
    for begin in range(head.stop, len(rows), _ROWS_AT_ONCE):
        masked += _mask_rows(rows[begin : begin + _ROWS_AT_ONCE], treatments)
    return MaskedSheet(file, name, masked, reading.header_row)


def _mask_rows(rows: Sequence[Sequence[Cell]], treatments: Sequence[_Treatment]) -> list[list[Cell]]:
    """Rows of data with each column treated by itself; shorter ones are filled up to the longest."""
    columns = [_mask_column(column, how) for column, how in zip(zip_longest(*rows), treatments, strict=False)]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in rows]


def _mask_column(cells: Sequence[Cell], treatment: _Treatment) -> Sequence[Cell]:
    if treatment is None and _TEXT_OR_NOTHING.issuperset(map(type, cells)):
        texts = [cell for cell in cells if isinstance(cell, str)]
        if max(map(len, texts), default=0) < _SHORTEST_MASKED and "".join(texts).isprintable():
            return cells
    return [_masked_cell(cell, treatment) for cell in cells]


def _read_head(sheet: Sheet, rows: list[list[Cell]]) -> _Reading | None:
    """The form whose headers a sheet has, the one that it is named for before others; None where there is none."""
    stem = PurePosixPath(sheet.file).stem
    names = {normal_header(each).casefold() for each in (sheet.name, stem) if each is not None}
    named = [form for form in _forms() if not names.isdisjoint(form.names)]
    others = [form for form in _forms() if names.isdisjoint(form.names)]
    return _best_reading(sheet, rows, named) or _best_reading(sheet, rows, others)


def _best_reading(sheet: Sheet, rows: list[list[Cell]], forms: Iterable[_Form]) -> _Reading | None:
    """The first of the forms that know the most of a sheet's columns."""
    best: _Reading | None = None
    for form in forms:
        headers = find_headers(rows, form.wanted, sheet.merged)
        if not headers.row:
            continue
        columns = {column: form.headers[header] for header, column in headers.columns.items()}
        columns |= {column: form.headers[header] for header, own in headers.doubled.items() for column in own}
        # A data row that happens to hold the word of a header is none.
        filled = len(headers.texts)
        is_head = 2 * len(headers.columns) >= len(form.headers) or (len(columns) > 1 and 2 * len(columns) >= filled)
        if is_head and (best is None or len(columns) > len(best.columns)):
            best = _Reading(headers.row, headers.rows, columns)
    return best


@kept_while_same(lambda: (load_reports(),))
def _forms() -> tuple[_Form, ...]:
    forms = [
        _Form(
            frozenset({report.code, normal_header(report.title).casefold()}),
            WantedHeaders.of(columns := _under_all_headers(report)),
            {column.header: column.sensitive for column in columns},
        )
        for report in load_reports().values()
    ]
    cover = {header: Sensitivity.PHONE if header == _COVER_PHONE else None for header in COVER_HEADERS}
    forms.append(_Form(frozenset({"cover", COVER_TITLE}), COVER.headers, cover))
    explained = dict.fromkeys(EXPLANATION_HEADERS)
    forms.append(_Form(frozenset({"explanations", EXPLANATIONS_TITLE}), EXPLANATIONS.headers, explained))
    return tuple(forms)


def _under_all_headers(report: Report) -> list[Column]:
    """The columns of all months, each under every header that it ever had; of two with one, what is sensitive."""
    columns = [
        column.model_copy(update={"header": header}) for column in report.columns for header in column.all_headers
    ]
    return sorted(columns, key=lambda column: column.sensitive is not None)


@kept_while_same(lambda: (load_reports(),))
def _words_of_forms() -> frozenset[str]:
    words = {COVER_TITLE, EXPLANATIONS_TITLE, *TOTAL_MARKS, "是", "否"}
    for form in _forms():
        words |= {*form.names, *form.headers}
    for report in load_reports().values():
        words |= {report.title, *chain.from_iterable(column.of for column in report.columns)}
    return frozenset(normal_header(word) for word in words)


def _filled(row: Sequence[Cell]) -> int:
    return sum(bool(cell_text(cell)) for cell in row)


def _row_without_head(number: int, row: Sequence[Cell]) -> list[Cell]:
    is_line = _filled(row) == 1 and any(
        isinstance(cell, str) and (_PROSE.search(cell) or (not number and _TITLE.search(cell))) for cell in row
    )
    return [_masked_title(cell) if is_line else _word_of_a_form(cell) for cell in row]


def _word_of_a_form(cell: Cell) -> Cell:
    return printable(cell) if isinstance(cell, str) and normal_header(cell) in _words_of_forms() else None


def _masked_title(cell: Cell) -> Cell:
    masked = _masked_digits(cell)
    if not isinstance(masked, str):
        return masked
    return mask_phones(masked)


def _masked_cell(cell: Cell, treatment: _Treatment) -> Cell:
    if cell is None or treatment is _Unknown:
        return None
    if isinstance(treatment, Sensitivity):
        return _printable(mask(cell_text(cell), treatment)) or None
    return _masked_digits(cell)


def _masked_digits(cell: Cell) -> Cell:
    """A cell of no sensitive column: numbers and dates stay what they are, no run of eleven digits is left."""
    match cell:
        case str() if len(cell) < _SHORTEST_MASKED:
            return _printable(cell)
        case str():
            # Below the table people write who may be called about it.
            return _printable(mask_digit_runs(mask_phones(cell) if _CHINESE.search(cell) else cell))
        case bool() | None:
            return cell
        case float() if math.isfinite(cell) and abs(cell) < 10**_DIGITS_IN_A_ROW:
            return cell if cell.is_integer() else round(cell, _DIGITS_IN_A_ROW)
        case datetime() | date():
            day = cell.date() if isinstance(cell, datetime) else cell
            is_local = isinstance(cell, datetime) and cell.tzinfo is not None
            return cell.isoformat() if day < _FIRST_SERIAL_DAY or is_local else cell
        case _:
            text = cell_text(cell)
            masked = mask_digit_runs(text)
            return masked if masked != text or isinstance(cell, float) else cell


def _printable(text: str) -> str:
    # Nearly every text; what is left out below is no character that Python would print.
    if text.isprintable():
        return text
    return _NOT_IN_XML.sub("\ufffd", printable(text))


# The workbook


def render_findings_workbook(
    findings: Iterable[Finding],
    sheets: Sequence[MaskedSheet] = (),
    *,
    number: str,
    created_at: datetime,
    is_demo: bool = False,
    listed: int | None = None,
) -> bytes | None:
    """The workbook as an XLSX file: the list of findings, then the sheets; None when there are no findings.

    The same arguments give the same bytes. However many findings there are, they are not all in memory at once.

    Args:
        findings: In the order of the list.
        sheets: What is shown of the delivery; without them the list alone is given.
        number: The receipt number.
        created_at: What the file says of its time.
        is_demo: Whether the institutions are invented, which the printed pages then say.
        listed: How many findings the list has at most; None for all of them.
    """
    remaining = iter(findings)
    first = next(remaining, None)
    if first is None:
        return None
    content = BytesIO()
    with TemporaryDirectory(prefix="findings-") as folder:
        # Rows leave memory as they are written; texts lie in the cells, for a table of them would stay in memory.
        properties = {"title": f"{LIST} {number}", "author": _SYSTEM, "created": created_at.replace(tzinfo=None)}
        with write_book(content, properties, constant_memory=True, tmpdir=folder) as book:
            writer = _FindingsWriter(book, number, sheets, is_demo=is_demo)
            writer.write_list(chain([first], remaining), listed)
            writer.write_sheets()
    return content.getvalue()


@dataclass(slots=True)
class _Mark:
    """What is said of one cell."""

    severity: Severity
    messages: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, finding: Finding) -> None:
        severity = Severity.of(finding)
        self.severity = min(self.severity, severity, key=lambda each: each.value)
        self.count += 1
        if len(self.messages) < _MESSAGES_OF_A_CELL:
            explained = f"（{EXPLAINED}）" if severity is Severity.EXPLAINED else ""
            self.messages.append(f"{LEVEL_WORDS[finding.level]}{explained} {finding.rule}：{message_of(finding)}")

    @property
    def comment(self) -> str:
        hidden = self.count - len(self.messages)
        return "\n".join([*self.messages, *([f"另有{hidden}项，见“{LIST}”。"] if hidden else [])])


def message_of(finding: Finding) -> str:
    """The finding's message, and below it what the institution has said of the value."""
    if finding.explanation is None:
        return finding.message
    return f"{finding.message}\n{EXPLAINED}：{finding.explanation}"


class _FindingsWriter:
    """Writes the sheets of one findings workbook."""

    def __init__(self, book: Book, number: str, sheets: Sequence[MaskedSheet], *, is_demo: bool) -> None:
        self._book = book
        self._number = number
        self._is_demo = is_demo
        self._sheets = list(zip(names_of_sheets(sheets), sheets, strict=True))
        self._names = {(sheet.file, sheet.name): name for name, sheet in self._sheets}
        self._marks: dict[str, dict[int, dict[int, _Mark]]] = {}

    def write_list(self, findings: Iterable[Finding], listed: int | None) -> None:
        """问题清单, and its further sheets where there are more findings than a sheet has rows."""
        sheet: Worksheet | None = None
        row = 0
        for number, finding in enumerate(findings, start=1):
            if listed is not None and number > listed:
                break
            if sheet is None or row == _LIST_ROWS:
                self._end_list(sheet, row)
                sheet, row = self._begin_list("" if sheet is None else f"({(number - 1) // _LIST_ROWS + 1})"), 0
            row += 1
            self._write_finding(sheet, row, number, finding)
            self._mark(finding)
        self._end_list(sheet, row)

    def _begin_list(self, suffix: str) -> Worksheet:
        sheet = self._sheet(LIST + suffix)
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.set_row(0, 24)
        for column, header in enumerate(LIST_HEADERS):
            sheet.write_string(0, column, header, self._book.format(_HEAD))
        sheet.write_comment(0, 0, _NOTE, _comment_options(_NOTE))
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_tab_color("#C00000")
        return sheet

    @staticmethod
    def _end_list(sheet: Worksheet | None, last_row: int) -> None:
        if sheet is not None:
            sheet.autofilter(0, 0, last_row, len(LIST_HEADERS) - 1)
            sheet.print_area(0, 0, last_row, len(LIST_HEADERS) - 1)

    def _write_finding(self, sheet: Worksheet, row: int, number: int, finding: Finding) -> None:
        severity = Severity.of(finding)
        target = self._target(finding) if row <= _MOST_LINKS else None
        level = LEVEL_WORDS[finding.level] + (f"\n（{EXPLAINED}）" if severity is Severity.EXPLAINED else "")
        title = load_reports()[finding.report].title if finding.report else OF_NO_REPORT
        texts = (finding.key, finding.value, finding.expected, message_of(finding))
        # Not every spreadsheet program makes room for wrapped text by itself.
        lines = max(map(_lines, (title, finding.header, *texts), (_WIDTHS[1], _WIDTHS[5], *_WIDTHS[7:])))
        lines = max(lines, level.count("\n") + 1)
        if lines > 1:
            sheet.set_row(row, _LINE * min(lines, _MOST_LINES))
        sheet.write_number(row, 0, number, self._book.format(_MIDDLE))
        self._text(sheet, row, 1, title, _WRAPPED)
        self._text(sheet, row, 2, finding.rule, _MIDDLE)
        self._text(sheet, row, 3, level, _WRAPPED | _MIDDLE | severity.style)
        if finding.row_number is None:
            self._text(sheet, row, 4, None, _MIDDLE)
        else:
            sheet.write_number(row, 4, finding.row_number, self._book.format(_MIDDLE))
        self._text(sheet, row, 5, finding.header, _WRAPPED)
        if target is not None and finding.cell is not None:
            self._book.write_link(sheet, row, 6, finding.cell, _MIDDLE | _LINK, to=target, cell=finding.cell)
        else:
            self._text(sheet, row, 6, finding.cell, _MIDDLE)
        for column, words in enumerate(texts, start=7):
            self._text(sheet, row, column, words, _WRAPPED)

    def _target(self, finding: Finding) -> str | None:
        """The sheet that has the finding's place, where it is shown."""
        if finding.file is None:
            return None
        return self._names.get((printable(finding.file), None if finding.sheet is None else printable(finding.sheet)))

    def _mark(self, finding: Finding) -> None:
        name = self._target(finding)
        if name is None or finding.row_number is None or finding.column_number is None:
            return
        cells = self._marks.setdefault(name, {}).setdefault(finding.row_number - 1, {})
        cells.setdefault(finding.column_number - 1, _Mark(Severity.of(finding))).add(finding)

    def write_sheets(self) -> None:
        """The delivered sheets, each value at its address."""
        for name, masked in self._sheets:
            self._write_sheet(name, masked, self._marks.pop(name, {}))

    def _write_sheet(self, name: str, masked: MaskedSheet, marks: dict[int, dict[int, _Mark]]) -> None:
        sheet = self._sheet(name)
        rows = masked.rows
        width = max(map(len, rows), default=0)
        for column, wide in enumerate(_column_widths(masked, width)):
            sheet.set_column(column, column, wide)
        if masked.is_emptied and 0 not in marks.get(0, {}):
            # XlsxWriter fails at a comment in a row without a cell.
            self._text(sheet, 0, 0, None, _BODY)
            sheet.write_comment(0, 0, _EMPTIED, _comment_options(_EMPTIED))
        plain = {
            "text": self._book.format(_TEXT | _BODY),
            "number": self._book.format(_BODY),
            "day": self._book.format(_BODY | _DAY),
        }
        commented = 0
        last = max(len(rows) - 1, max(marks, default=-1))
        for number in range(last + 1):
            row = rows[number] if number < len(rows) else []
            own = marks.get(number, {})
            style = _HEAD if number == masked.header_row - 1 else _BODY
            # XlsxWriter ends the last row with the workbook, and only then numbers the formats that are new in it.
            if not own and style is _BODY and number < last and sheet.write_plain_row(number, row, **plain):
                continue
            for column in range(max(len(row), max(own, default=-1) + 1)):
                cell = row[column] if column < len(row) else None
                mark = own.get(column)
                if mark is None:
                    if cell is not None:
                        self._cell(sheet, number, column, cell, style)
                    continue
                self._cell(sheet, number, column, cell, style | _BOX | mark.severity.style)
                if commented < _MOST_COMMENTS:
                    comment = beginning(_printable(mark.comment), _LONGEST_COMMENT)
                    sheet.write_comment(number, column, comment, _comment_options(comment))
                    commented += 1
        if masked.header_row:
            sheet.freeze_panes(masked.header_row, 0)
            sheet.repeat_rows(masked.header_row - 1)
        severities = [mark.severity for own in marks.values() for mark in own.values()]
        if severities:
            worst = min(severities, key=lambda each: each.value)
            sheet.set_tab_color(worst.style["bg_color"])

    def _cell(self, sheet: Worksheet, row: int, column: int, cell: Cell, style: dict[str, Any]) -> None:
        match cell:
            case bool():
                sheet.write_boolean(row, column, cell, self._book.format(style))
            case int() | float():
                sheet.write_number(row, column, cell, self._book.format(style))
            case datetime() if (cell.hour, cell.minute, cell.second) != (0, 0, 0):
                sheet.write_datetime(
                    row, column, cell, self._book.format(style | {"num_format": "yyyy-mm-dd hh:mm:ss"})
                )
            case date():
                day = cell.date() if isinstance(cell, datetime) else cell
                sheet.write_datetime(row, column, day, self._book.format(style | _DAY))
            case _:
                self._text(sheet, row, column, cell, _TEXT | style)

    def _text(self, sheet: Worksheet, row: int, column: int, text: str | None, style: dict[str, Any]) -> None:
        self._book.write_text(sheet, row, column, _printable(text or ""), style)

    def _sheet(self, name: str) -> RowSheet:
        sheet = self._book.add_sheet(name, f"&L{self._number}&C&A" + (f"&R{DEMO_MARK}" if self._is_demo else ""))
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        set_page(sheet, landscape=True, side=0.4, bottom=0.6)
        return sheet


def _width(text: str) -> int:
    """How wide a text is on one line; only its beginning is measured."""
    return text_width(text[: 2 * _WIDEST].replace("\n", " "))


def _column_widths(masked: MaskedSheet, columns: int) -> list[float]:
    """Wide enough for most of what a column holds below its header, which is broken into lines."""
    begin = max(masked.header_row - 1, 0)
    sample = masked.rows[begin : begin + _SAMPLED_ROWS]
    return [
        min(
            _WIDEST,
            max((_width(cell_text(row[column])) for row in sample if column < len(row)), default=0) + 2.0,
        )
        if any(column < len(row) and row[column] is not None for row in sample)
        else _NARROWEST
        for column in range(columns)
    ]


@lru_cache(maxsize=10_000)
def _lines(text: str | None, width: float) -> int:
    """How many lines a text takes in a column of that width; of a long line only the beginning is measured."""
    return count_lines(text or "", width - 1, measured=1_000)


def _comment_options(comment: str) -> dict[str, Any]:
    lines = sum(1 + _comment_width(line) // _COMMENT_CHARACTERS for line in comment.split("\n"))
    return _COMMENT | {"height": _COMMENT_LINE * (lines + 1)}


def _comment_width(line: str) -> int:
    return sum(1 if each.isascii() else 2 for each in line)


def names_of_sheets(sheets: Sequence[MaskedSheet]) -> list[str]:
    """The name of each sheet: its own, or its file's, masked.

    One that another file's sheet has already bears its own file's name too.
    """
    wanted = [
        (_named(sheet.file) or "Sheet", "")
        if sheet.name is None
        else (_named(sheet.name) or "Sheet", _named(PurePosixPath(sheet.file).stem))
        for sheet in sheets
    ]
    return sheet_names(wanted, taken=(LIST,))


def _named(text: str) -> str:
    # What masks digits is an asterisk, which no sheet's name may hold: the full-width one may stand there.
    return sheet_name(mask_digit_runs(printable(text)).replace("*", "＊"))
