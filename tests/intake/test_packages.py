"""What institutions send: encodings, title rows, merged cells, totals, covers, and files that are none.

See docs/intake.md.
"""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
import xlsxwriter
from pyarrow import parquet

from five_precisions.intake.findings import Finding, Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.intake.reading.files import Limits, UnreadableFileError, read_file
from five_precisions.intake.ruleset import Ruleset
from five_precisions.reports.level import Level
from tests.packages import (
    cover_file,
    cover_line,
    csv_bytes,
    package,
    report_file,
    sound,
    sound_package,
    table,
    workbook,
)

POSITION = [sound("position"), sound("position", county_code="441704", all_loans="2000.50")]


def judge(files: list[DeliveredFile], ruleset: Ruleset, code: str = "B01") -> JudgedPackage:
    institution = ruleset.register.institution(code)
    assert institution is not None
    return judge_package(files, institution, ruleset)


def rules(judged: JudgedPackage) -> list[str]:
    return [finding.rule for finding in judged.findings]


def only(judged: JudgedPackage) -> Finding:
    (finding,) = judged.findings
    return finding


def position_file(name: str, content: bytes) -> list[DeliveredFile]:
    return [cover_file(cover_line("position", POSITION)), DeliveredFile(name, content)]


# Layouts that are read


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read(delimiter: str, encoding: str, ruleset: Ruleset) -> None:
    content = csv_bytes(table("position", POSITION), delimiter=delimiter, encoding=encoding)
    judged = judge(position_file("position.csv", content), ruleset)
    assert rules(judged) == []
    assert judged.reports[0].control_total == Decimal("3000.50")


def test_nine_title_rows_keep_row_numbers(ruleset: Ruleset) -> None:
    titles = [["贷款与再贷款月报"], ["单位：万元"], *[[]] * 7]
    rows = [sound("position", county_code="000000")]
    content = workbook(贷款与再贷款月报=[*titles, *table("position", rows)], 报送说明=cover_rows("position", rows))
    assert only(judge([DeliveredFile("月报.xlsx", content)], ruleset)).cell == "A11"


def test_merged_title_cells_and_bent_headers_are_tolerated(ruleset: Ruleset) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("position")
        sheet.merge_range("A1:G1", "贷款与再贷款月报")
        header, *rows = table("position", POSITION)
        bent = [f" {text[:2]}\n{text[2:]}　" for text in header]
        for number, row in enumerate([bent, *rows], start=1):
            sheet.write_row(number, 0, row)
    assert rules_of_position(content.getvalue(), ruleset) == []


def rules_of_position(content: bytes, ruleset: Ruleset) -> list[str]:
    judged = judge(position_file("position.xlsx", content), ruleset)
    assert judged.reports[0].rows == len(POSITION)
    return rules(judged)


def cover_rows(report: str, rows: list[dict[str, str]]) -> list[list[str]]:
    return [list(COVER_HEADERS), cover_line(report, rows)]


@pytest.mark.parametrize("note", ["（万元）", "(万元)", "（单位：万元）", "\u200b（万元）\n"])
def test_the_unit_in_brackets_behind_a_header_is_tolerated(note: str, ruleset: Ruleset) -> None:
    header, *rows = table("position", POSITION)
    bent = [header[0], *(f"{text}{note}" for text in header[1:6]), f"{header[6]}（个）"]
    assert rules_of_position(workbook(position=[bent, *rows]), ruleset) == []


@pytest.mark.parametrize("note", ["（年初）", "（上月）", "2", "（户）"])
def test_what_brackets_say_otherwise_is_another_header(note: str, ruleset: Ruleset) -> None:
    header, *rows = table("position", POSITION)
    bent = [header[0], f"{header[1]}{note}", *header[2:]]
    finding = only(judge(position_file("position.csv", csv_bytes([bent, *rows])), ruleset))
    assert (finding.rule, finding.cell) == ("F02", "B1")
    assert f"疑似误写为“{header[1]}{note}”" in finding.message


def test_a_header_once_with_its_unit_and_once_without_is_doubled(ruleset: Ruleset) -> None:
    doubled = [
        [*row, f"{row[1]}（万元）" if number == 0 else "1"] for number, row in enumerate(table("position", POSITION))
    ]
    finding = only(judge(position_file("position.csv", csv_bytes(doubled)), ruleset))
    assert (finding.rule, finding.cell) == ("F02", "H1")


@pytest.mark.parametrize("name", ["position.xlsx", "cover.xlsx"])
@pytest.mark.parametrize("blank_first", [False, True])
def test_blank_sheets_of_a_new_workbook_are_no_tables(name: str, blank_first: bool, ruleset: Ruleset) -> None:
    is_cover = name == "cover.xlsx"
    rows = cover_rows("position", POSITION) if is_cover else table("position", POSITION)
    sheets = {"Sheet1": [], "Sheet2": rows} if blank_first else {"Sheet1": rows, "Sheet2": [], "Sheet3": []}
    other = report_file("position", POSITION) if is_cover else cover_file(cover_line("position", POSITION))
    judged = judge([other, DeliveredFile(name, workbook(**sheets))], ruleset)
    assert judged.verdict is Verdict.ACCEPTED
    assert judged.reports[0].rows == len(POSITION)
    assert set(rules(judged)) == {"F07"}


def test_a_row_of_no_numbers_in_parquet_is_empty(ruleset: Ruleset) -> None:
    header, *rows = table("position", POSITION)
    columns = {text: [*(row[place] for row in rows), ""] for place, text in enumerate(header)}
    tables = pa.table({**columns, header[6]: pa.array([0.0, 0.0, float("nan")], from_pandas=False)})
    content = io.BytesIO()
    parquet.write_table(tables, content)
    judged = judge(position_file("position.parquet", content.getvalue()), ruleset)
    assert (rules(judged), judged.reports[0].rows) == ([], 2)


def test_numbers_dates_and_blank_rows_of_a_workbook(ruleset: Ruleset) -> None:
    header, row = table("position", [sound("position")])
    numbers = [row[0], *(float(cell) for cell in row[1:])]
    content = workbook(Sheet1=[header, numbers, [], [" "]])
    judged = judge(
        [cover_file(cover_line("position", [sound("position")])), DeliveredFile("position.xlsx", content)], ruleset
    )
    assert rules(judged) == []
    assert judged.drafts[0].rows is not None
    assert judged.drafts[0].rows.columns["all_loans"] == [Decimal("1000.00")]


def test_parquet_is_read(ruleset: Ruleset) -> None:
    header, *rows = table("position", POSITION)
    content = io.BytesIO()
    pd.DataFrame(rows, columns=header).to_parquet(content)
    assert rules(judge(position_file("position.parquet", content.getvalue()), ruleset)) == []


def test_error_value_of_a_formula_is_a_finding(ruleset: Ruleset) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("随便")
        for number, row in enumerate(table("position", POSITION)):
            sheet.write_row(number, 0, row)
        sheet.write_formula("E3", "=1/0", None, "#DIV/0!")
    finding = only(judge(position_file("position.xlsx", content.getvalue()), ruleset))
    assert (finding.rule, finding.cell, finding.value, finding.sheet) == ("T02", "E3", "#DIV/0!", "随便")


# Headers, columns, sheets


def test_missing_misspelt_and_doubled_headers_are_named(ruleset: Ruleset) -> None:
    rows = table("position", POSITION)
    rows[0][1], rows[0][4], rows[0][6] = "各项贷款馀额", "支农再贷款展期金额", "随便什么"
    judged = judge(position_file("position.csv", csv_bytes(rows)), ruleset)
    found = [(finding.rule, finding.level, finding.cell, finding.header) for finding in judged.findings]
    assert found == [
        ("F02", Level.CRITICAL, None, "支农再贷款余额"),
        ("F02", Level.CRITICAL, None, "本年新产品个数"),
        ("F02", Level.CRITICAL, "B1", "各项贷款余额"),
        ("F02", Level.CRITICAL, "F1", "支农再贷款展期金额"),
        ("F05", Level.NOTICE, "G1", "随便什么"),
    ]
    assert "各项贷款馀额" in judged.findings[2].message
    assert judged.verdict is Verdict.REJECTED


def test_no_header_row_at_all(ruleset: Ruleset) -> None:
    assert only(judge(position_file("position.csv", "甲,乙\n1,2\n".encode()), ruleset)).rule == "F02"


def test_extra_columns_and_sheets_are_ignored_and_named(ruleset: Ruleset) -> None:
    rows = [[*row, extra] for row, extra in zip(table("position", POSITION), ("备注", "无", ""), strict=True)]
    content = workbook(position=rows, 填表说明=[["说明"]], 报送说明=cover_rows("position", POSITION))
    judged = judge([DeliveredFile("月报.xlsx", content)], ruleset)
    found = sorted((finding.rule, finding.level, finding.header or finding.sheet) for finding in judged.findings)
    assert found == [("F05", Level.NOTICE, "备注"), ("F07", Level.NOTICE, "填表说明")]
    assert judged.verdict is Verdict.ACCEPTED


# Totals


def with_total(*totals: list[str]) -> bytes:
    return csv_bytes([*table("position", POSITION), *totals])


def test_right_total_row_is_no_data(ruleset: Ruleset) -> None:
    total = ["合　计", "3,000.50", "1800", "", "0", "", "0"]
    judged = judge(position_file("position.csv", with_total(total)), ruleset)
    assert (rules(judged), judged.reports[0].rows) == ([], 2)


def test_wrong_total_row(ruleset: Ruleset) -> None:
    finding = only(judge(position_file("position.csv", with_total(["总计", "3000.51"])), ruleset))
    assert (finding.rule, finding.cell, finding.value, finding.expected) == ("F06", "B4", "3000.51", "3000.50")


def test_total_row_in_the_middle(ruleset: Ruleset) -> None:
    header, first, second = table("position", POSITION)
    content = csv_bytes([header, first, ["合计"], second])
    finding = only(judge(position_file("position.csv", content), ruleset))
    assert (finding.rule, finding.cell, finding.row_number) == ("F06", "A3", 3)


def test_a_total_row_is_found_and_named_where_it_calls_itself_one(ruleset: Ruleset) -> None:
    header, first, second = [["", *row] for row in table("position", POSITION)]
    content = csv_bytes([header, first, ["", "总计：", "9"], second])
    finding = only(judge(position_file("position.csv", content), ruleset))
    assert (finding.rule, finding.cell) == ("F06", "B3")


def test_total_above_a_faulty_cell_is_not_compared(ruleset: Ruleset) -> None:
    rows = [sound("position", relending="无")]
    content = csv_bytes([*table("position", rows), ["合计", "", "", "", "7"]])
    judged = judge([cover_file(cover_line("position", rows)), DeliveredFile("position.csv", content)], ruleset)
    assert rules(judged) == ["T02"]


# Cover


def test_wrong_row_count_and_control_total(ruleset: Ruleset) -> None:
    line = ["贷款与再贷款月报", "3", "3,000.49", "否"]
    judged = judge([cover_file(line), report_file("position", POSITION)], ruleset)
    found = [(finding.rule, finding.file, finding.cell, finding.value, finding.expected) for finding in judged.findings]
    assert found == [
        ("F03", "cover.csv", "B2", "3", "2"),
        ("F03", "cover.csv", "C2", "3,000.49", "3,000.50"),
    ]


def test_what_is_said_of_a_control_total_asks_for_the_unit_of_its_column(ruleset: Ruleset) -> None:
    loans = [sound("loans")]
    judged = judge(
        [
            cover_file(["position", "2", "-1"], ["loans", "1", "-1"]),
            report_file("position", POSITION),
            report_file("loans", loans),
        ],
        ruleset,
    )
    assert [(finding.rule, finding.cell, finding.report) for finding in judged.findings] == [
        ("T05", "C2", "position"),
        ("T05", "C3", "loans"),
    ]
    for finding, unit in zip(judged.findings, ("以万元为单位", "以元为单位"), strict=True):
        assert unit in finding.message
        assert finding.expected is not None
        assert unit in finding.expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["position", "3", "三千", "否"], [("F03", "B2"), ("T02", "C2")]),
        (["position", "两行", "3000.49", "否"], [("T02", "B2"), ("F03", "C2")]),
        (["position", "3", "3000.50", "零"], [("F03", "B2"), ("T04", "D2")]),
        (["position", "两行", "三千", "否"], [("T02", "B2"), ("T02", "C2")]),
    ],
)
def test_one_unread_cell_of_a_cover_line_hides_no_other_fault(
    line: list[str], expected: list[tuple[str, str]], ruleset: Ruleset
) -> None:
    judged = judge([cover_file(line), report_file("position", POSITION)], ruleset)
    assert [(finding.rule, finding.cell) for finding in judged.findings] == expected


def test_who_may_have_meant_a_nil_return_is_not_asked_for_rows_as_well(ruleset: Ruleset) -> None:
    cover = cover_file(["visits", "0", "", "零"])
    for files in ([cover], [cover, report_file("visits", [])]):
        finding = only(judge(files, ruleset))
        assert (finding.rule, finding.cell) == ("T04", "D2")


def test_a_cover_may_end_in_a_total_row(ruleset: Ruleset) -> None:
    judged = judge(
        [cover_file(cover_line("position", POSITION), ["合计", "2", "3000.50"]), report_file("position", POSITION)],
        ruleset,
    )
    assert (rules(judged), judged.verdict) == ([], Verdict.ACCEPTED)


def test_a_nil_return_that_is_none_is_said_once(ruleset: Ruleset) -> None:
    finding = only(judge([cover_file(["position", "2", "3000.50", "是"]), report_file("position", POSITION)], ruleset))
    assert (finding.rule, finding.cell) == ("F04", "D2")
    assert "表中却有2行数据" in finding.message


def test_a_line_of_the_cover_says_what_belongs_into_it(ruleset: Ruleset) -> None:
    finding = only(judge([cover_file(["没有这张表", "1", "", "否"])], ruleset))
    assert finding.expected == "报表名称或代码，每张报表一行"


def test_control_total_of_a_faulty_column_is_not_compared(ruleset: Ruleset) -> None:
    rows = [sound("position", all_loans="一千")]
    assert rules(judge([cover_file(["position", "1", "1000"]), report_file("position", rows)], ruleset)) == ["T02"]


def test_nil_return(ruleset: Ruleset) -> None:
    judged = judge(package(visits=[]), ruleset)
    assert (rules(judged), judged.reports[0].verdict, judged.verdict) == ([], Verdict.NIL, Verdict.ACCEPTED)


def test_nil_return_with_an_empty_sheet(ruleset: Ruleset) -> None:
    judged = judge([*package(visits=[]), report_file("visits", [])], ruleset)
    assert (rules(judged), judged.reports[0].verdict) == ([], Verdict.NIL)


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        (package(loans=[]), "F04"),
        ([cover_file(["visits", "0", "", "是"]), report_file("visits", [sound("visits")])], "F04"),
        ([cover_file(["visits", "0", "", "否"]), report_file("visits", [])], "F04"),
        ([cover_file(["visits", "1", "", "是"])], "F03"),
        ([cover_file(["visits", "1", "0", "否"])], "F09"),
        ([cover_file(["grid", "1", "", "否"], ["grid", "1", "", "否"]), report_file("grid", [sound("grid")])], "F09"),
        ([cover_file(["没有这张表", "1", "", "否"])], "F09"),
        ([cover_file()], "F09"),
        ([cover_file(["grid", "一", "", "否"]), report_file("grid", [sound("grid")])], "T02"),
    ],
    ids=[
        "nil not allowed",
        "nil with rows",
        "no rows, no nil",
        "nil with a count",
        "listed without file",
        "listed twice",
        "no such report",
        "empty cover",
        "count in words",
    ],
)
def test_cover_and_report_disagree(files: list[DeliveredFile], rule: str, ruleset: Ruleset) -> None:
    judged = judge(files, ruleset)
    assert (rules(judged), judged.verdict) == ([rule], Verdict.REJECTED)


@pytest.mark.parametrize(("report", "says"), [("visits", "填写“是”"), ("grid", "不允许零报送")])
def test_a_table_without_rows_names_the_way_that_is_open(report: str, says: str, ruleset: Ruleset) -> None:
    files = [cover_file([report, "0", "", "否"]), report_file(report, [])]
    assert says in only(judge(files, ruleset)).message


def test_report_that_the_cover_does_not_list(ruleset: Ruleset) -> None:
    files = [*sound_package("grid"), report_file("position", POSITION)]
    judged = judge(files, ruleset)
    assert (rules(judged), judged.verdict) == (["F09"], Verdict.PARTIAL)


def test_two_files_for_one_report_are_both_named(ruleset: Ruleset) -> None:
    content = workbook(position=table("position", POSITION))
    files = [*package(position=POSITION), DeliveredFile("补报.xlsx", content)]
    finding = only(judge(files, ruleset))
    assert finding.rule == "F09"
    assert "position.csv" in finding.message
    assert "补报.xlsx" in finding.message


def test_explanations_are_read(ruleset: Ruleset) -> None:
    rows = [
        ["报表", "规则", "主键", "说明"],
        ["grid", "g02", "W1/441702100/", "负责人刚调整。"],
        ["无此表", "G02", "", "x"],
    ]
    files = [*sound_package("grid"), DeliveredFile("explanations.csv", csv_bytes(rows))]
    judged = judge(files, ruleset)
    assert rules(judged) == ["F07"]
    (explanation,) = judged.explanations
    assert (explanation.report, explanation.rule, explanation.key) == ("grid", "G02", "W1/441702100/")


# Files that do not open


def truncated() -> bytes:
    content = workbook(position=table("position", POSITION))
    return content[: len(content) // 2]


def encrypted_workbook() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


def encrypted_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return (
        content.getvalue()
        .replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00")
        .replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    )


def some_other_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("position.xlsx", b"\x00\x01garbage" * 50, "不是电子表格文件"),
        ("position.xlsx", b"", "空的"),
        ("position.xlsx", truncated(), "损坏"),
        ("position.xlsx", encrypted_workbook(), "密码"),
        ("position.xlsx", encrypted_zip(), "密码"),
        ("position.xlsx", some_other_zip(), "损坏"),
        ("position.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "损坏"),
        ("position.pdf", b"%PDF-1.4", "不是允许的文件类型"),
        ("position.csv", b"\xff\xff\xff\x00", "编码"),
        ("position.csv", workbook(position=[["x"]]), "扩展名"),
        ("position.parquet", b"PAR1garbagePAR1", "Parquet"),
    ],
    ids=[
        "garbage",
        "no bytes",
        "truncated",
        "encrypted workbook",
        "encrypted zip",
        "zip without workbook",
        "empty compound file",
        "pdf",
        "no known encoding",
        "workbook named csv",
        "broken parquet",
    ],
)
def test_unreadable_file_rejects_its_report_alone(name: str, content: bytes, says: str, ruleset: Ruleset) -> None:
    files = [
        cover_file(cover_line("position", POSITION), cover_line("grid", [sound("grid")])),
        report_file("grid", [sound("grid")]),
        DeliveredFile(name, content),
    ]
    judged = judge(files, ruleset)
    finding = only(judged)
    assert (finding.rule, finding.level, finding.report, finding.file) == ("F01", Level.CRITICAL, "position", name)
    assert says in finding.message
    assert {report.report: report.verdict for report in judged.reports} == {
        "position": Verdict.REJECTED,
        "grid": Verdict.ACCEPTED,
    }


def test_unreadable_workbook_is_blamed_for_the_listed_reports_it_may_hold(ruleset: Ruleset) -> None:
    files = [cover_file(cover_line("position", POSITION)), DeliveredFile("本月.xlsx", b"garbage")]
    finding = only(judge(files, ruleset))
    assert (finding.rule, finding.report, finding.file) == ("F01", "position", "本月.xlsx")


def test_limits() -> None:
    content = workbook(position=table("position", POSITION))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(1_000_000))
    for limits, file in (
        (Limits(packed_bytes=100), content),
        (Limits(unpacked_bytes=999_999), bomb.getvalue()),
        (Limits(rows=2), content),
        (Limits(columns=6), content),
    ):
        with pytest.raises(UnreadableFileError):
            read_file("position.xlsx", file, known_headers=set(), limits=limits)
    assert len(read_file("position.xlsx", content, known_headers=set(), limits=Limits(rows=3, columns=7))) == 1
