"""Headers as forms write them, units that they name, cells that are merged or not computed (F02, F12, T02)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import openpyxl
import pytest
import xlsxwriter

from five_precisions.intake.findings import Finding, Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.intake.ruleset import Ruleset
from tests.packages import cover_file, cover_line, csv_bytes, report_file, sound, table

LOANS = [sound("loans", contract_no=f"HT-{number}") for number in range(1, 4)]
VISITS = [sound("visits", wanted_amount="20000")]
POSITION = [sound("position")]
MATCHES = [sound("matches")]
ROWS = {"loans": LOANS, "visits": VISITS, "position": POSITION, "matches": MATCHES}


def judge(files: list[DeliveredFile], ruleset: Ruleset) -> JudgedPackage:
    institution = ruleset.register.institution("B01")
    assert institution is not None
    return judge_package(files, institution, ruleset)


def judge_lines(report: str, lines: Sequence[Sequence[str]], ruleset: Ruleset) -> JudgedPackage:
    files = [cover_file(cover_line(report, ROWS[report])), DeliveredFile(f"{report}.csv", csv_bytes(lines))]
    return judge(files, ruleset)


def judge_workbook(report: str, content: bytes, ruleset: Ruleset) -> JudgedPackage:
    return judge([cover_file(cover_line(report, ROWS[report])), DeliveredFile(f"{report}.xlsx", content)], ruleset)


def only(judged: JudgedPackage) -> Finding:
    (finding,) = judged.findings
    return finding


@pytest.mark.parametrize(
    "written",
    [
        "*{}",
        "{}*",
        "★{}",
        "1.{}",
        "1、{}",
        "（1）{}",
        "①{}",
        "一、{}",
        "【{}】",
        "[{}]",
        "{}（必填）",
        "*{}(必填项)",
        "（必填）{}",
        " {}\n",
        "3. *{}",
        "●{}",
        "1：{}",
        "A.{}",
        "[1]{}",
        "1.1 {}",
        "{}：",
        "{}{{必填}}",
        "{} 必填",
    ],
)
def test_what_is_written_around_a_header_is_tolerated(written: str, ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    judged = judge_lines("loans", [[written.format(each) for each in header], *rows], ruleset)
    assert (judged.findings, judged.reports[0].rows) == ((), 3)


@pytest.mark.parametrize("written", ["*{}", "1.{}（必填）", "【{}】", "{}："])
@pytest.mark.parametrize("kind", ["page", "text", "bars"])
def test_marked_headers_tell_what_a_file_is(kind: str, written: str, ruleset: Ruleset) -> None:
    """A page or a text named .xls, and the delimiter of a text: both are known by headers."""
    header, *rows = table("loans", LOANS)
    lines = [[written.format(each) for each in header], *rows]
    if kind == "page":
        cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line)}</tr>" for line in lines)
        file = DeliveredFile("loans.xls", f"<html><table>{cells}</table></html>".encode())
    elif kind == "text":
        file = DeliveredFile("loans.xls", csv_bytes(lines, delimiter="\t", encoding="gb18030"))
    else:
        lines = [["台账,按合同,按日期,按金额,按机构"], *lines]
        file = DeliveredFile("loans.csv", csv_bytes(lines, delimiter="|"))
    judged = judge([cover_file(cover_line("loans", LOANS)), file], ruleset)
    assert (judged.findings, judged.reports[0].rows) == ((), 3)


@pytest.mark.parametrize(
    ("header", "written"),
    [
        ("发放金额", "发放金额/元"),
        ("发放金额", "发放金额【元】"),
        ("发放金额", "发放金额（单位：元）"),
        ("发放金额", "*发放金额（元，必填）"),
        ("发放金额", "发放金额（人民币元）"),
        ("发放金额", "发放金额（RMB元）"),
        ("发放金额", "发放金额（￥）"),
        ("发放金额", "发放金额{元}"),
        ("年利率", "年利率（%）"),
        ("年利率", "年利率%"),
        ("发放日期", "发放日期（YYYY-MM-DD）"),
        ("发放日期", "发放日期（格式：2019-06-30）"),
        ("是否展期", "是否展期（是/否）"),
        ("借款人类型", "借款人类型（农户/企业/合作社）"),
        ("逾期天数", "逾期天数（天）"),
    ],
)
def test_a_note_that_says_no_more_than_the_declaration_is_tolerated(
    header: str, written: str, ruleset: Ruleset
) -> None:
    lines = table("loans", LOANS)
    lines[0][lines[0].index(header)] = written
    assert judge_lines("loans", lines, ruleset).findings == ()


@pytest.mark.parametrize("written", ["贷款余额（上月）", "贷款余额2", "贷款余额（户）"])
def test_another_column_is_not_taken_for_the_reports(written: str, ruleset: Ruleset) -> None:
    lines = [[*row, written if number == 0 else "1"] for number, row in enumerate(table("loans", LOANS))]
    finding = only(judge_lines("loans", lines, ruleset))
    assert (finding.rule, finding.cell) == ("F05", "V1")
    lines = table("loans", LOANS)
    lines[0][11] = written
    assert only(judge_lines("loans", lines, ruleset)).rule == "F02"


# Two rows of headers


def in_two_rows(*, merged: bool) -> bytes:
    content = io.BytesIO()
    header, *rows = table("loans", LOANS)
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("loans")
        sheet.write(0, 0, "金融精准扶贫贷款台账")
        for column in (0, len(header) - 1):
            if merged:
                sheet.merge_range(1, column, 2, column, header[column])
            else:
                sheet.write(1, column, header[column])
        sheet.merge_range(1, 1, 1, 9, "借款人信息")
        sheet.merge_range(1, 10, 1, len(header) - 2, "贷款")
        for column, text in enumerate(header[1:-1], start=1):
            # Under 贷款, 余额 is 贷款余额.
            sheet.write(2, column, text.removeprefix("贷款") if text == "贷款余额" else text)
        for number, row in enumerate(rows, start=3):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell)
    return content.getvalue()


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "left empty"])
def test_headers_in_two_rows_are_one(merged: bool, ruleset: Ruleset) -> None:
    judged = judge_workbook("loans", in_two_rows(merged=merged), ruleset)
    assert (judged.findings, judged.reports[0].rows) == ((), 3)
    assert judged.places["loans"]["payee_account"] == 21


# Units


@pytest.mark.parametrize(
    ("report", "header", "written", "says"),
    [
        (
            "loans",
            "贷款余额",
            "贷款余额（万元）",
            "以万元为单位，本列应以元为单位：请把各数乘以10000后填写，并把单位写成元。",
        ),
        (
            "loans",
            "发放金额",
            "发放金额(万)",
            "以万元为单位，本列应以元为单位：请把各数乘以10000后填写，并把单位写成元。",
        ),
        (
            "matches",
            "授信金额",
            "授信金额/元",
            "以元为单位，本列应以万元为单位：请把各数除以10000后填写，并把单位写成万元。",
        ),
        (
            "position",
            "各项贷款余额",
            "各项贷款余额（亿元）",
            "以亿元为单位，本列应以万元为单位：请把各数乘以10000后填写",
        ),
        ("loans", "年利率", "年利率（‰）", "以‰为单位，本列应以%为单位：请把各数除以10后填写"),
    ],
)
def test_a_header_in_another_unit_names_the_factor(
    report: str, header: str, written: str, says: str, ruleset: Ruleset
) -> None:
    lines = table(report, ROWS[report])
    place = lines[0].index(header)
    lines[0][place] = written
    finding = only(judge_lines(report, lines, ruleset))
    assert (finding.rule, finding.row_number, finding.column_number) == ("F12", 1, place + 1)
    assert says in finding.message
    assert "误写" not in finding.message
    assert "改为" not in finding.message


@pytest.mark.parametrize(
    ("report", "line", "says"),
    [
        ("loans", ["单位：万元"], "第2行写明单位是万元，本表金额应以元为单位：请把各数乘以10000后填写"),
        ("loans", ["填报单位：某行", "", "（金额单位：人民币万元）"], "第2行写明单位是万元"),
        ("loans", ["", "单位：", "千元"], "请把各数乘以1000后填写"),
        ("position", ["单位：元"], "本表金额应以万元为单位：请把各数除以10000后填写"),
        ("visits", ["计量单位：万元、户"], "第2行写明单位是万元"),
        ("loans", ["（万元）"], "第2行写明单位是万元"),
        ("loans", ["金额：万元"], "第2行写明单位是万元"),
        ("loans", ["人民币万元"], "第2行写明单位是万元"),
        ("loans", ["本表以万元为单位"], "第2行写明单位是万元"),
        ("loans", ["以下金额均为万元"], "第2行写明单位是万元"),
    ],
)
def test_a_unit_line_in_another_unit_is_told_once(report: str, line: list[str], says: str, ruleset: Ruleset) -> None:
    judged = judge_lines(report, [["某表"], line, *table(report, ROWS[report])], ruleset)
    finding = only(judged)
    assert (finding.rule, finding.row_number) == ("F12", 2)
    assert says in finding.message
    assert judged.verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    ("report", "line"),
    [
        ("loans", ["单位：元"]),
        ("loans", ["填报单位：亿元村镇银行"]),
        ("loans", ["单位：元、%"]),
        ("position", ["单位：万元　日期：2019年6月30日"]),
        ("visits", ["单位：户"]),
    ],
)
def test_a_unit_line_in_the_own_unit_says_nothing(report: str, line: list[str], ruleset: Ruleset) -> None:
    assert judge_lines(report, [["某表"], line, *table(report, ROWS[report])], ruleset).findings == ()


def test_a_header_that_names_its_own_unit_counts_more_than_the_line(ruleset: Ruleset) -> None:
    lines = table("loans", LOANS)
    lines[0][10], lines[0][11] = "发放金额（元）", "贷款余额（元）"
    assert judge_lines("loans", [["单位：万元"], *lines], ruleset).findings == ()


@pytest.mark.parametrize(("unit", "rules"), [("元", []), ("（元）", []), ("万元", ["F12", "F12"])])
def test_units_in_a_row_below_the_headers_are_theirs(unit: str, rules: list[str], ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    below = [unit if text in ("发放金额", "贷款余额") else "%" if text == "年利率" else "" for text in header]
    judged = judge_lines("loans", [header, below, *rows], ruleset)
    assert ([finding.rule for finding in judged.findings], judged.reports[0].rows) == (rules, 3)


def test_two_rows_of_headers_may_begin_in_the_tenth(ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    upper = [header[0], *[""] * 19, header[-1]]
    lower = ["", *header[1:-1], ""]
    judged = judge_lines("loans", [*[["某表"]] * 9, upper, lower, *rows], ruleset)
    assert (judged.findings, judged.reports[0].rows) == ((), 3)


def test_long_rows_above_the_headers_are_looked_at_quickly(ruleset: Ruleset) -> None:
    lines = [["金额" * 16_000] * 20, *table("loans", LOANS)]
    assert judge_lines("loans", lines, ruleset).findings == ()


def test_a_unit_line_over_no_amounts_does_no_harm(ruleset: Ruleset) -> None:
    lines = [["单位：万元"], *table("visits", [sound("visits")])]
    files = [cover_file(cover_line("visits", [sound("visits")])), DeliveredFile("visits.csv", csv_bytes(lines))]
    assert judge(files, ruleset).findings == ()


def test_numbers_in_another_unit_are_the_cause_of_nothing_else(ruleset: Ruleset) -> None:
    """Neither a balance above the principal (L03), nor the cover's total (F03); what is no number is told."""
    lines = table("loans", LOANS)
    lines[0][10] = "发放金额（万元）"
    for number, row in enumerate(lines[1:]):
        row[10] = "五万" if number == 1 else "5"
    judged = judge_lines("loans", [*lines, ["合计", *[""] * 9, "15"]], ruleset)
    assert [(finding.rule, finding.cell) for finding in judged.findings] == [("F12", "K1"), ("T02", "K3")]


# The cover


@pytest.mark.parametrize("written", ["合计金额（元）", "合计金额（万元）", "*合计金额", "2、合计金额"])
def test_the_covers_headers_are_tolerated_alike(written: str, ruleset: Ruleset) -> None:
    header = [written if text == "合计金额" else text for text in COVER_HEADERS]
    cover = DeliveredFile("cover.csv", csv_bytes([header, cover_line("loans", LOANS)]))
    assert judge([cover, report_file("loans", LOANS)], ruleset).findings == ()


def test_a_near_header_of_the_cover_is_named(ruleset: Ruleset) -> None:
    header = ["总计金额" if text == "合计金额" else text for text in COVER_HEADERS]
    cover = DeliveredFile("cover.csv", csv_bytes([header, cover_line("loans", LOANS)]))
    finding = only(judge([cover, report_file("loans", LOANS)], ruleset))
    assert (finding.rule, finding.cell) == ("F02", "C1")
    assert "疑似误写为“总计金额”" in finding.message


# Cells that have no content of their own


def edited(change: str) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "loans"
    for row in table("loans", LOANS):
        sheet.append(row)
    match change:
        case "merged":
            for column in ("B", "C"):
                sheet.merge_cells(f"{column}2:{column}4")
        case "merged and empty":
            for number in range(2, 5):
                sheet[f"T{number}"] = None
            sheet.merge_cells("T2:T4")
        case "not computed":
            for number in range(2, 5):
                sheet[f"L{number}"] = f"=K{number}"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("change", "cell", "says"),
    [
        ("merged", "B2", "B2:B4等2处单元格是合并的，只有左上角一格有内容，请拆分单元格并逐行填写。"),
        ("not computed", "L2", "L2等3个单元格的公式还没有计算结果，请用电子表格软件打开该文件，保存一次后重新报送。"),
    ],
)
def test_cells_without_content_of_their_own_are_named_once(change: str, cell: str, says: str, ruleset: Ruleset) -> None:
    finding = only(judge_workbook("loans", edited(change), ruleset))
    assert (finding.rule, finding.cell, finding.message) == ("T02", cell, says)


def test_merged_cells_with_nothing_in_them_have_lost_nothing(ruleset: Ruleset) -> None:
    assert judge_workbook("loans", edited("merged and empty"), ruleset).findings == ()


def test_a_total_row_that_is_not_computed_is_a_total_row(ruleset: Ruleset) -> None:
    book = openpyxl.load_workbook(io.BytesIO(edited("")))
    book["loans"].append(["合计", *[None] * 10, "=SUM(L2:L4)"])
    content = io.BytesIO()
    book.save(content)
    assert judge_workbook("loans", content.getvalue(), ruleset).findings == ()


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_of_two_versions_the_hidden_one_is_said_to_be(state: str, ruleset: Ruleset) -> None:
    book = openpyxl.load_workbook(io.BytesIO(edited("")))
    copy = book.copy_worksheet(book["loans"])
    copy.title, copy.sheet_state = "金融精准扶贫贷款台账", state
    content = io.BytesIO()
    book.save(content)
    files = [cover_file(cover_line("loans", LOANS)), DeliveredFile("报表.xlsx", content.getvalue())]
    finding = only(judge(files, ruleset))
    assert finding.rule == "F09"
    assert "的“金融精准扶贫贷款台账”（隐藏的工作表），请只保留一份" in finding.message
    assert "“loans”（隐藏" not in finding.message
