"""Rows that Chinese forms have beside their data: signatures, notes, sums, page lines, repeated headers.

See docs/intake.md#rows-that-are-no-data; F06, F11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from five_precisions.intake.findings import Finding, Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.marks import Marks
from five_precisions.intake.ruleset import Ruleset
from tests.packages import Cells, cover_file, cover_line, csv_bytes, declared, sound, table, workbook

WIDTH = 21
LOANS = [sound("loans", contract_no=f"HT-{number}") for number in range(1, 4)]


def judge(
    report: str, rows: Sequence[Cells], lines: Sequence[Sequence[str]], ruleset: Ruleset, *, code: str = "B01"
) -> JudgedPackage:
    """A package of one report, whose sheet has these lines; the cover speaks of the data alone."""
    institution = ruleset.register.institution(code)
    assert institution is not None
    files = [cover_file(cover_line(report, rows)), DeliveredFile(f"{report}.csv", csv_bytes(lines))]
    return judge_package(files, institution, ruleset)


def told(judged: JudgedPackage) -> list[tuple[str, str | None, str]]:
    return [(finding.rule, finding.cell, finding.message) for finding in judged.findings]


def only(judged: JudgedPackage) -> Finding:
    (finding,) = judged.findings
    return finding


@pytest.mark.parametrize(
    ("line", "cell", "kind"),
    [
        (["制表人：张三"], "A5", "签字盖章行"),
        (
            ["制表人：张三", "", "", "审核人：李四", "", "", "负责人：王五", "", "填报日期：2019-07-05"],
            "A5",
            "签字盖章行",
        ),
        (["制 表：", "张三", "", "复 核：", "李四"], "A5", "签字盖章行"),
        (["", "", "", "", "", "单位负责人："], "F5", "签字盖章行"),
        (["", "", "（公章）"], "C5", "签字盖章行"),
        (["填报日期：", "2019年7月5日"], "A5", "签字盖章行"),
        (["信贷部负责人：王五"], "A5", "签字盖章行"),
        (["某某银行（公章）"], "A5", "签字盖章行"),
        (["报出日期：", "2019-07-05"], "A5", "签字盖章行"),
        (["2019年7月5日"], "A5", "签字盖章行"),
        (["制表人：", "", "张三", "", "", "复核人：", "", "李四"], "A5", "签字盖章行"),
        (["备注：本表每月8日前报送。"], "A5", "备注说明行"),
        (["1、本表由各支行按月填报。"], "A5", "备注说明行"),
        (["备 注", "续贷客户另附清单"], "A5", "备注说明行"),
        (["注1：余额为期末数"], "A5", "备注说明行"),
        (["说明：", "本表由各支行填报"], "A5", "备注说明行"),
        (["", "", "", "以下空白"], "D5", "表尾行"),
        (["——以下空白——"], "A5", "表尾行"),
        (["第1页 共3页"], "A5", "页码行"),
        (["", "", "", "", "- 1 -"], "E5", "页码行"),
        (["Page 1 of 3"], "A5", "页码行"),
        (["以上共3笔"], "A5", "页码行"),
        (["江城区", "小计", *[""] * 8, "150000"], "B5", "小计行"),
        (["本月合计", *[""] * 9, "150000"], "A5", "小计行"),
        (["其中：小额信贷", *[""] * 9, "50000"], "A5", "小计行"),
        (["小计", *[""] * 9, "150000", "150000"], "A5", "小计行"),
        (["", "江城区小计", *[""] * 8, "150000"], "B5", "小计行"),
        (["本页合计", *[""] * 9, "1", "2"], "A5", "小计行"),
        (["累计", *[""] * 9, "1", "2"], "A5", "小计行"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_row_that_is_no_data_is_left_out_and_named(line: list[str], cell: str, kind: str, ruleset: Ruleset) -> None:
    judged = judge("loans", LOANS, [*table("loans", LOANS), line], ruleset)
    assert told(judged) == [("F11", cell, f"第5行是{kind}，不是数据，已略过。")]
    assert (judged.verdict, judged.reports[0].rows) == (Verdict.ACCEPTED, 3)


def test_such_rows_between_the_data_are_left_out_too(ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    lines = [header, ["甲", "乙", *map(str, range(1, 20))], rows[0], ["本页合计"], header, rows[1], rows[2], ["第1页"]]
    judged = judge("loans", LOANS, lines, ruleset)
    kinds = ["栏次行", "小计行", "重复的表头", "页码行"]
    expected = [f"第{row}行是{kind}，不是数据，已略过。" for row, kind in zip((2, 4, 5, 8), kinds, strict=True)]
    assert [message for _, _, message in told(judged)] == expected
    assert (judged.verdict, judged.reports[0].rows) == (Verdict.ACCEPTED, 3)


@pytest.mark.parametrize(
    "line",
    [
        [str(number) for number in range(1, 22)],
        ["甲", "乙", "丙", *map(str, range(1, 19))],
        ["栏次", *map(str, range(1, 21))],
        [*"ABCDEFGHIJKLMNOPQRSTU"],
        ["(1)", "(2)", "(3)", "4=1+2"],
        [f"C{number}" for number in range(1, 22)],
        [f"第{number}列" for number in range(1, 22)],
        [column.name for column in declared("loans").columns],
    ],
    ids=lambda line: line[0],
)
def test_column_numbers_under_the_headers_are_no_data(line: list[str], ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    judged = judge("loans", LOANS, [header, line, *rows], ruleset)
    assert told(judged) == [("F11", "A2", "第2行是栏次行，不是数据，已略过。")]


def test_a_numbered_line_below_a_note_belongs_to_it(ruleset: Ruleset) -> None:
    lines = [*table("loans", LOANS), ["备注：1. 本表按月报送。"], ["2. 余额为期末数。"], ["（3）金额单位为元。"]]
    assert [finding.row_number for finding in judge("loans", LOANS, lines, ruleset).findings] == [5, 6, 7]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (["合计", *[""] * 9, "150000", "150000"], 0),
        (["总 计：", *[""] * 9, "150000", "150000"], 0),
        (["合计金额", *["—"] * 9, "150000", "150000", *["/"] * 9], 0),
        (["合计/Total", *[""] * 9, "150000", "150000"], 0),
        (["合计（3笔）", *[""] * 9, "150000", "150000"], 0),
        (["共计3户", *[""] * 9, "150000", "150000"], 0),
        (["", "总合计", *[""] * 8, "150000", "150000"], 1),
        (["", "", "合 计", *[""] * 7, "150,000.00", "150000"], 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_total_row_is_checked_wherever_it_says_so(line: list[str], place: int, ruleset: Ruleset) -> None:
    lines = [*table("loans", LOANS), line]
    assert told(judge("loans", LOANS, lines, ruleset)) == []
    wrong = [*line]
    wrong[10] = "150001"
    finding = only(judge("loans", LOANS, [*table("loans", LOANS), wrong], ruleset))
    assert (finding.rule, finding.cell, finding.expected) == ("F06", "K5", "150000.00")
    moved = [lines[0], line, *lines[1:4]]
    finding = only(judge("loans", LOANS, moved, ruleset))
    assert (finding.rule, finding.row_number, finding.column_number) == ("F06", 2, place + 1)


def test_signatures_below_the_total_row_do_not_move_it(ruleset: Ruleset) -> None:
    lines = [*table("loans", LOANS), ["合计", *[""] * 9, "150000"], ["制表人：张三"], ["备注：无"]]
    assert [finding.rule for finding in judge("loans", LOANS, lines, ruleset).findings] == ["F11", "F11"]


@pytest.mark.parametrize(
    ("report", "changes"),
    [
        ("loans", {"contract_no": "备注-1"}),
        ("loans", {"contract_no": "第1页"}),
        ("visits", {"officer": "制表人：张三"}),
        ("grid", {"village": "小计", "head": "负责人：王五"}),
        ("outreach", {"village": "合计"}),
        ("matches", {"reason": "说明：资料不齐", "status": "不予支持"}),
    ],
)
def test_a_row_whose_key_date_or_code_can_be_read_is_data(
    report: str, changes: dict[str, str], ruleset: Ruleset
) -> None:
    rows = [sound(report), sound(report, **changes)]
    judged = judge(report, rows, table(report, rows), ruleset)
    assert judged.reports[0].rows == 2
    assert "F11" not in {finding.rule for finding in judged.findings}


def test_boxes_that_nobody_ticked_are_no_rows(ruleset: Ruleset) -> None:
    boxes: list[list[object]] = [[*row, False] for row in table("loans", LOANS)[1:]]
    empty: list[list[object]] = [[*[""] * WIDTH, False] for _ in range(50)]
    ticked: list[list[object]] = [[*[""] * 16, False, "", False] for _ in range(50)]
    content = workbook(loans=[table("loans", LOANS)[0], *boxes, *empty, *ticked])
    institution = ruleset.register.institution("B01")
    assert institution is not None
    files = [cover_file(cover_line("loans", LOANS)), DeliveredFile("loans.xlsx", content)]
    judged = judge_package(files, institution, ruleset)
    assert (told(judged), judged.reports[0].rows) == ([], 3)


def test_what_stands_in_columns_of_nobodys_makes_no_row(ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    lines = [[*header, "附注"], *[[*row, ""] for row in rows], [*[""] * WIDTH, "见附件"]]
    judged = judge("loans", LOANS, lines, ruleset)
    assert ([finding.rule for finding in judged.findings], judged.reports[0].rows) == (["F05"], 3)


def test_a_cover_may_be_signed(ruleset: Ruleset) -> None:
    institution = ruleset.register.institution("B01")
    assert institution is not None
    cover = cover_file(
        cover_line("loans", LOANS), ["合计", "3", "150000"], ["报送人：李某", "", "联系电话：0662-1234567"]
    )
    files = [cover, DeliveredFile("loans.csv", csv_bytes(table("loans", LOANS)))]
    assert told(judge_package(files, institution, ruleset)) == []


def test_an_area_may_have_marks_of_its_own(ruleset: Ruleset) -> None:
    lines = [*table("loans", LOANS), ["阅示：同意"]]
    assert {finding.rule for finding in judge("loans", LOANS, lines, ruleset).findings} > {"T01"}
    own = Marks(totals=("合计",), signatures=("阅示",))
    assert told(judge("loans", LOANS, lines, replace(ruleset, marks=own))) == [
        ("F11", "A5", "第5行是签字盖章行，不是数据，已略过。")
    ]


def test_the_sum_of_what_is_left_is_what_counts(ruleset: Ruleset) -> None:
    lines = [*table("loans", LOANS), ["小计", *[""] * 10, "999"]]
    judged = judge("loans", LOANS, lines, ruleset)
    assert judged.reports[0].control_total == Decimal(150000)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        ("position", ["单位负责人：", "张三", "统计负责人：", "李四", "填表人：", "王五", "报出日期：2019-07-05"]),
        ("visits", ["填报日期：", "2019-07-05"]),
        ("visits", ["填报人：张三", "2019-07-05"]),
        ("outreach", ["合计", "3场", "5个村", "", "", "20", "20", "0"]),
        ("grid", ["合计", "", "8", "×", "***"]),
    ],
)
def test_signatures_and_sums_of_narrow_forms(report: str, line: list[str], ruleset: Ruleset) -> None:
    rows = [sound(report)]
    judged = judge(report, rows, [*table(report, rows), line], ruleset)
    assert judged.reports[0].rows == 1
    assert {finding.rule for finding in judged.findings} <= {"F11"}


def test_title_and_unit_line_repeated_on_every_page_are_no_data(ruleset: Ruleset) -> None:
    header, *rows = table("loans", LOANS)
    above = [["金融精准扶贫贷款台账"], ["单位：元"], header]
    judged = judge("loans", LOANS, [*above, *rows[:2], *above, rows[2]], ruleset)
    assert [finding.row_number for finding in judged.findings] == [6, 7, 8]
    assert {finding.message[3:] for finding in judged.findings} == {"是重复的表头，不是数据，已略过。"}


def test_lines_below_a_note_belong_to_it_however_they_begin(ruleset: Ruleset) -> None:
    lines = ["备注：", "① 本表按月报送；", "a. 余额为期末数；", "第一，金额以元为单位；", "余额含应收未收利息。"]
    judged = judge("loans", LOANS, [*table("loans", LOANS), *([line] for line in lines)], ruleset)
    assert [(finding.rule, finding.row_number) for finding in judged.findings] == [("F11", row) for row in range(5, 10)]
