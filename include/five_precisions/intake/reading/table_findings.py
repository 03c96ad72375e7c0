"""What is wrong with a report's table: its headers, units, cells, and rows that are no data.

See docs/reports.md#rules; F02, F05, F06, F11, F12, T01 to T05.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from five_precisions.intake.findings import Finding, column_letters, shown_text, shown_value
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.files import Sheet
from five_precisions.intake.reading.headers import Unit, known_header, normal_header, own_unit
from five_precisions.intake.reading.layout import Layout, LeftOut
from five_precisions.intake.reading.sheet import Area
from five_precisions.intake.reading.typed import NAMED_ELSEWHERE, TypedRows
from five_precisions.reports import Column, ColumnType, DatedHeader, Report, load_reports
from five_precisions.reports.cells import cell_text, read_cell, says_nothing

_OWN_CONTENT: Final = "每一格都有自己的内容"


def cell_findings(rows: TypedRows) -> list[Finding]:
    """The faults of single cells as findings (T01 to T05)."""
    return [
        rows.finding(
            position,
            column,
            rule=fault.rule,
            level=PackageRule[fault.rule].level,
            message=fault.message,
            expected=column.expected,
        )
        for column in rows.report.columns
        for position, fault in rows.faults[column.name].items()
        if fault is not NAMED_ELSEWHERE
    ]


def lost_cell_findings(rows: TypedRows) -> list[Finding]:
    """Merged cells and formulas that no program has computed, each named once (T02)."""
    findings: list[Finding] = []
    if rows.merged_away:
        first, count = next(iter(rows.merged_away)), len(rows.merged_away)
        places = _address(first) + (f"等{count}处" if count > 1 else "")
        message = f"{places}单元格是合并的，只有左上角一格有内容，请拆分单元格并逐行填写。"
        findings.append(_at(rows, PackageRule.T02, message, first.first_row, first.first_column, _OWN_CONTENT))
    if rows.uncomputed:
        (row, column), count = rows.uncomputed[0], len(rows.uncomputed)
        places = f"{column_letters(column + 1)}{row + 1}" + (f"等{count}个单元格" if count > 1 else "")
        message = f"{places}的公式还没有计算结果，请用电子表格软件打开该文件，保存一次后重新报送。"
        findings.append(_at(rows, PackageRule.T02, message, row, column, _OWN_CONTENT))
    return findings


def _address(area: Area) -> str:
    begin = f"{column_letters(area.first_column + 1)}{area.first_row + 1}"
    return f"{begin}:{column_letters(area.last_column + 1)}{area.last_row + 1}"


def _at(rows: TypedRows, rule: PackageRule, message: str, row: int, column: int, expected: str | None) -> Finding:
    """A finding at a cell, by its row and column from 0."""
    return Finding(
        report=rows.report.code,
        rule=rule.code,
        level=rule.level,
        message=message,
        file=rows.sheet.file,
        sheet=rows.sheet.name,
        row_number=row + 1,
        column_number=column + 1,
        header=rows.header_at(column),
        expected=expected,
    )


def left_out_findings(rows: TypedRows) -> list[Finding]:
    """Rows that are no data (F11)."""
    return [
        _at(
            rows,
            PackageRule.F11,
            f"第{each.row.number}行是{each.kind.value}，不是数据，已略过。",
            each.row.number - 1,
            each.column,
            None,
        )
        for each in rows.layout.left_out
    ]


def total_row_findings(rows: TypedRows) -> list[Finding]:
    """Total rows that do not hold the sum above them, or are not the last row (F06)."""
    findings: list[Finding] = []
    for total in rows.layout.totals:
        if total.row.number != rows.layout.last_row:
            # What is wrong with the row as a whole is said where it calls itself a total row.
            message = "合计行必须是最后一行，请把它移到最后，或删除其下的内容。"
            findings.append(_at(rows, PackageRule.F06, message, total.row.number - 1, total.column, None))
        else:
            findings += _sum_findings(rows, total)
    return findings


def _sum_findings(rows: TypedRows, total: LeftOut) -> list[Finding]:
    findings: list[Finding] = []
    for column in rows.report.columns:
        place = rows.place(column)
        if place is None or not (column.type.is_amount or column.type is ColumnType.INT):
            continue
        cell = total.row.cell(place)
        if says_nothing(cell_text(cell)) or place == total.column:
            continue
        stated = read_cell(cell, column.model_copy(update={"type": ColumnType.WAN, "max": None, "min": 0}))
        expected = rows.sum_of(column, above=total.row.number)
        if expected is None or stated == expected:
            continue
        message = f"合计行的{column.header}与各行之和{expected}不符，请核对。"
        finding = _at(rows, PackageRule.F06, message, total.row.number - 1, place, str(expected))
        findings.append(replace(finding, header=column.header, value=shown_value(cell, column)))
    return findings


def unit_findings(rows: TypedRows) -> list[Finding]:
    """A unit line, or a header, that names another unit than the column's (F12)."""
    findings: list[Finding] = []
    headers, line = rows.layout.headers, rows.layout.unit_line
    of_form = [column for column in rows.other_units if column.header not in headers.units]
    for column, unit in rows.other_units.items():
        if column not in of_form:
            place = headers.columns[column.header]
            written = shown_text(headers.texts[place])
            said = f"表头“{written}”以{unit.name}为单位，本列应以{own_unit(column).name}为单位"
            row = headers.row
        elif line is not None and column is of_form[0]:
            said = f"第{line.row_number}行写明单位是{unit.name}，本表金额应以{own_unit(column).name}为单位"
            place, row = line.column, line.row_number
        else:
            continue
        message = f"{said}：请把各数{_converted(unit, column)}后填写，并把单位写成{own_unit(column).name}。"
        finding = _at(rows, PackageRule.F12, message, row - 1, place, own_unit(column).name)
        findings.append(replace(finding, header=None if column in of_form else column.header, value=unit.name))
    return findings


def _converted(unit: Unit, column: Column) -> str:
    factor = unit.factor_to(column)
    by = f"乘以{factor:f}" if factor > 1 else f"除以{1 / factor:f}"
    return by.rstrip("0").rstrip(".") if "." in by else by


def header_findings(report: Report, sheet: Sheet, layout: Layout) -> list[Finding]:
    """Headers missing, doubled or misspelt (F02); unknown columns (F05)."""

    def finding(
        rule: PackageRule, message: str, column: int | None, header: str | None, expected: str | None = None
    ) -> Finding:
        return Finding(
            report=report.code,
            rule=rule.code,
            level=rule.level,
            message=message,
            file=sheet.file,
            sheet=sheet.name,
            row_number=layout.headers.row or None,
            column_number=None if column is None else column + 1,
            header=header,
            expected=expected,
        )

    if not layout.headers.row:
        message = f"前十行中找不到表头行，请使用模板的表头：{'、'.join(layout.headers.missing)}。"
        return [finding(PackageRule.F02, message, None, None)]
    findings: list[Finding] = []
    own = {column.header: column for column in report.columns}
    for header in layout.headers.missing:
        close = layout.headers.misspelt.get(header)
        column = own[header]
        if close is None:
            new = "" if column.valid_from is None else f"（自{column.valid_from.words}起报送）"
            message = f"缺少表头“{header}”{new}，请补上这一列，表头与模板一致。"
        elif (other := _of_another_month(column, layout.headers.texts[close])) is not None:
            message = f"{_other_months_header(column, other)}，请改为“{header}”。"
        else:
            written = shown_text(layout.headers.texts[close])
            message = f"缺少表头“{header}”，疑似误写为“{written}”，请改为“{header}”。"
        findings.append(finding(PackageRule.F02, message, close, header, header))
    for header, columns in layout.headers.doubled.items():
        places = "、".join(f"{column_letters(column + 1)}列" for column in columns)
        message = f"表头“{header}”重复出现在{places}，请只保留一列。"
        findings.append(finding(PackageRule.F02, message, columns[1], header, header))
    names = {column.name for column in report.columns}
    others = [column for column in load_reports()[report.code].columns if column.name not in names]
    for place, header in sorted(layout.headers.extra.items()):
        name = f"“{shown_text(header)}”" if header else f"没有表头的{column_letters(place + 1)}列"
        why = next((_other_months(each) for each in others if _is_header_of(each, header)), "不属于本报表")
        message = f"多出的列{name}{why}，已忽略。"
        findings.append(finding(PackageRule.F05, message, place, shown_text(header) or None))
    return findings


def _is_header_of(column: Column, text: str) -> bool:
    return known_header(text, {*map(normal_header, column.all_headers)}) is not None


def _other_months(column: Column) -> str:
    """From when on, or until when, a column is delivered that the form of the month lacks."""
    begin = "" if column.valid_from is None else f"自{column.valid_from.words}起"
    end = "" if column.valid_until is None else f"到{column.valid_until.words}为止"
    return f"{begin}{end}报送，不属于本期的报表"


def _of_another_month(column: Column, text: str) -> DatedHeader | None:
    """The header that the text is, and that the column has in other months."""
    others = {normal_header(each.header): each for each in column.headers if each.header != column.header}
    known = known_header(text, others)
    return None if known is None else others[known]


def _other_months_header(column: Column, other: DatedHeader) -> str:
    """How a header of other months is called in the form of this one."""
    order = [each.header for each in column.headers]
    if other.valid_until is not None and order.index(other.header) < order.index(column.header):
        begin = other.valid_until.next().words
        return f"表头“{other.header}”只用到{other.valid_until.words}，自{begin}起改为“{column.header}”"
    begin = "" if other.valid_from is None else f"自{other.valid_from.words}起才使用，"
    return f"表头“{other.header}”{begin}本期的表头是“{column.header}”"
