"""The cover (报送说明) and the explanations (情况说明) of a package (docs/intake.md#the-package)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from five_precisions.intake.findings import Finding, shown_key, shown_text, shown_value
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.headers import WantedHeaders, normal_header
from five_precisions.intake.reading.layout import Layout, Row, TableForm, lay_out
from five_precisions.intake.reading.marks import Marks
from five_precisions.reports import Column, ColumnType, Report, Sensitivity
from five_precisions.reports.cells import CellFault, Value, cell_text, read_cell

COVER_TITLE: Final = "报送说明"
EXPLANATIONS_TITLE: Final = "情况说明"

_REPORT: Final = Column(header="报表", name="report", type=ColumnType.TEXT, max=60)
_ROWS: Final = Column(header="行数", name="rows", type=ColumnType.INT, optional=True)
_TOTAL: Final = Column(header="合计金额", name="total", type=ColumnType.YUAN, optional=True)
_NIL: Final = Column(header="零报送", name="nil", type=ColumnType.YESNO, optional=True)
_SUBMITTER: Final = Column(header="报送人", name="submitter", type=ColumnType.TEXT, max=30, optional=True)
_PHONE: Final = Column(
    header="联系电话",
    name="phone",
    type=ColumnType.TEXT,
    max=40,
    optional=True,
    sensitive=Sensitivity.PHONE,
)
_COVER_COLUMNS: Final = (_REPORT, _ROWS, _TOTAL, _NIL, _SUBMITTER, _PHONE)
_ONLY_IN_THE_FIRST_ROW: Final = frozenset({_SUBMITTER.header, _PHONE.header})
COVER_HEADERS: Final = tuple(column.header for column in _COVER_COLUMNS)

COVER: Final = TableForm(WantedHeaders.of(_COVER_COLUMNS), (_REPORT.header,))

_EXPLAINED = ("报表", "规则", "主键", "说明")
EXPLANATION_HEADERS: Final = _EXPLAINED
EXPLANATIONS: Final = TableForm(WantedHeaders(_EXPLAINED, {}), _EXPLAINED[:2])


@dataclass(frozen=True, slots=True)
class CoverLine:
    """What the cover says of one report."""

    report: str
    sheet: Sheet
    row_number: int
    rows: int | None
    total: Decimal | None
    is_nil: bool
    columns: dict[str, int]
    """Header → column from 0, for the addresses of findings."""
    unread: frozenset[str]
    """Headers whose cell did not read: nothing is compared with it, and nothing that follows from it is said."""


@dataclass(slots=True)
class Cover:
    """The cover of a package: its lines by report, and who sent it."""

    lines: dict[str, CoverLine] = field(default_factory=dict)
    submitter: str | None = None
    phone_masked: str | None = None
    is_readable: bool = True
    """Whether its headers are there: without them nothing can be held against it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """An institution's word on a warning (docs/intake.md#explanations)."""

    report: str
    rule: str
    key: str
    text: str
    file: str
    sheet: str | None
    row_number: int


def find_report(name: str, reports: dict[str, Report]) -> Report | None:
    """The report that a sheet, a file or a line names: by its title or its code."""
    wanted = normal_header(name).casefold()
    return next(
        (report for report in reports.values() if wanted in (report.code, normal_header(report.title).casefold())), None
    )


def read_cover(sheets: Sequence[Sheet], reports: dict[str, Report], marks: Marks) -> tuple[Cover, list[Finding]]:
    """The cover from the sheets that bear its title; usually there is one."""
    cover = Cover()
    findings: list[Finding] = []
    for sheet in sheets:
        # A form may end in a total row or signatures, which list no report.
        layout = lay_out(sheet, COVER, marks)
        missing = [header for header in layout.headers.missing if header not in _ONLY_IN_THE_FIRST_ROW]
        findings += _header_findings(sheet, layout, missing)
        if missing:
            cover.is_readable = False
            continue
        for row in layout.data:
            # What stands beside the cover's own columns, as the template's code table does, makes no line.
            if any(cell_text(row.cell(place)) for place in layout.headers.columns.values()):
                _read_line(cover, findings, sheet, layout, row, reports)
    if cover.is_readable and not cover.lines and not findings:
        findings.append(
            Finding(
                report=None,
                rule=PackageRule.F09.code,
                level=PackageRule.F09.level,
                message="报送说明没有列出任何报表，请逐行列出本次报送的报表、行数和合计金额。",
                file=sheets[0].file if sheets else None,
                sheet=sheets[0].name if sheets else None,
            )
        )
    return cover, findings


def _header_findings(sheet: Sheet, layout: Layout, missing: list[str]) -> list[Finding]:
    findings: list[Finding] = []
    for header in missing:
        near = layout.headers.misspelt.get(header)
        hint = "" if near is None else f"，疑似误写为“{shown_text(layout.headers.texts[near])}”"
        findings.append(
            Finding(
                report=None,
                rule=PackageRule.F02.code,
                level=PackageRule.F02.level,
                message=f"报送说明缺少表头“{header}”{hint}，表头应为：{'、'.join(COVER_HEADERS)}。",
                file=sheet.file,
                sheet=sheet.name,
                row_number=layout.headers.row or None,
                column_number=None if near is None else near + 1,
                header=header,
                expected=header,
            )
        )
    return findings


def _read_line(
    cover: Cover, findings: list[Finding], sheet: Sheet, layout: Layout, row: Row, reports: dict[str, Report]
) -> None:
    name = cell_text(row.cell(layout.headers.columns[_REPORT.header]))
    report = find_report(name, reports) if name else None
    values, faults = _read_cells(sheet, layout, row, report)
    findings += faults
    unread = frozenset(fault.header for fault in faults if fault.header)
    submitter, phone = values.get("submitter"), values.get("phone")
    if cover.submitter is None and isinstance(submitter, str):
        cover.submitter = shown_text(submitter)
    if cover.phone_masked is None and isinstance(phone, str):
        cover.phone_masked = shown_value(phone, _PHONE)
    if not name:
        return
    if report is None:
        message = f"报送说明列出的“{shown_text(name)}”不是报表，请填写报表名称或代码。"
        findings.append(_at(sheet, layout, row, _REPORT, None, PackageRule.F09, message))
    elif report.code in cover.lines:
        message = f"报送说明重复列出了“{report.title}”，每张报表只列一行。"
        findings.append(_at(sheet, layout, row, _REPORT, report, PackageRule.F09, message))
    else:
        rows, total = values.get("rows"), values.get("total")
        cover.lines[report.code] = CoverLine(
            report=report.code,
            sheet=sheet,
            row_number=row.number,
            rows=rows if isinstance(rows, int) else None,
            total=total if isinstance(total, Decimal) else None,
            is_nil=values.get("nil") is True,
            columns=layout.headers.columns,
            unread=unread,
        )


def _read_cells(
    sheet: Sheet, layout: Layout, row: Row, report: Report | None
) -> tuple[dict[str, Value], list[Finding]]:
    values: dict[str, Value] = {}
    faults: list[Finding] = []
    for declared in _COVER_COLUMNS:
        column = _in_its_unit(declared, report)
        place = layout.headers.columns.get(column.header)
        if place is None:
            continue
        value = read_cell(row.cell(place), column, epoch_1904=sheet.epoch_1904)
        if not isinstance(value, CellFault):
            values[column.name] = value
        elif column not in (_SUBMITTER, _PHONE):
            faults.append(_at(sheet, layout, row, column, report, PackageRule[value.rule], value.message))
    return values, faults


def _in_its_unit(column: Column, report: Report | None) -> Column:
    """The control total is in the unit of the column that it sums: what is said of it must not ask for another."""
    control = report.control_column if report else None
    return column if column is not _TOTAL or control is None else column.model_copy(update={"type": control.type})


def _at(
    sheet: Sheet, layout: Layout, row: Row, column: Column, report: Report | None, rule: PackageRule, message: str
) -> Finding:
    place = layout.headers.columns[column.header]
    return Finding(
        report=report.code if report else None,
        rule=rule.code,
        level=rule.level,
        message=message,
        file=sheet.file,
        sheet=sheet.name,
        row_number=row.number,
        column_number=place + 1,
        header=column.header,
        value=shown_value(row.cell(place), column),
        expected="报表名称或代码，每张报表一行" if rule is PackageRule.F09 else column.expected,
    )


def read_explanations(
    sheets: Sequence[Sheet], reports: dict[str, Report], marks: Marks
) -> tuple[list[Explanation], list[Finding]]:
    """Explanations from the sheets that bear their title; a line that names no report is a notice."""
    explanations: list[Explanation] = []
    findings: list[Finding] = []
    for sheet in sheets:
        layout = lay_out(sheet, EXPLANATIONS, marks)
        missing = layout.headers.missing
        if missing:
            if not sheet.rows:
                continue
            message = f"情况说明缺少表头“{'”“'.join(missing)}”，本表未采用；表头应为：{'、'.join(_EXPLAINED)}。"
            findings.append(
                Finding(
                    report=None,
                    rule=PackageRule.F02_OF_EXPLANATIONS.code,
                    level=PackageRule.F02_OF_EXPLANATIONS.level,
                    message=message,
                    file=sheet.file,
                    sheet=sheet.name,
                )
            )
            continue
        for row in layout.data:
            name, rule, key, text = (cell_text(row.cell(layout.headers.columns[header])) for header in _EXPLAINED)
            report = find_report(name, reports)
            if report is None or not (rule and text):
                message = "这一行没有写明报表、规则或说明，未采用；请按报表、规则、主键、说明四列填写。"
                findings.append(
                    Finding(
                        report=None,
                        rule=PackageRule.F07.code,
                        level=PackageRule.F07.level,
                        message=message,
                        file=sheet.file,
                        sheet=sheet.name,
                        row_number=row.number,
                    )
                )
                continue
            said = Explanation(
                report.code, rule.upper(), shown_key(key, report), text, sheet.file, sheet.name, row.number
            )
            explanations.append(said)
    return explanations, findings
