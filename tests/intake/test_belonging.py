"""Packages of another month or institution than the folder that they lie in (docs/intake.md#the-wrong-folder, F13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from five_precisions.intake.belonging import months_named
from five_precisions.intake.findings import Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.intake.ruleset import Ruleset
from five_precisions.period import Period
from tests.packages import cover_file, cover_line, csv_bytes, package, sound, table, workbook

GRID = [sound("grid")]
TITLE = "网格化管理责任表"


def judge(files: list[DeliveredFile], ruleset: Ruleset, code: str = "B05") -> JudgedPackage:
    institution = ruleset.register.institution(code)
    assert institution is not None
    return judge_package(files, institution, ruleset)


def titled(*above: str, file: str = "grid.csv") -> list[DeliveredFile]:
    """A sound package whose report has these rows above its headers."""
    lines = [*([text] for text in above), *table("grid", GRID)]
    return [cover_file(cover_line("grid", GRID)), DeliveredFile(file, csv_bytes(lines))]


def one_workbook(name: str, sheet: str = TITLE, cover_title: str = "") -> list[DeliveredFile]:
    cover = [*([[cover_title]] if cover_title else []), list(COVER_HEADERS), cover_line("grid", GRID)]
    return [DeliveredFile(name, workbook(**{"报送说明": cover, sheet: table("grid", GRID)}))]


@pytest.mark.parametrize(
    "files",
    [
        titled(f"2019年3月{TITLE}"),
        titled(TITLE, "2019年3月31日"),
        titled(TITLE, "日期：2019-03-31"),
        titled(TITLE, "报告期：201903"),
        titled(TITLE, "报表日期：2019/3/31"),
        titled(f"{TITLE}（2019年1-3月）"),
        one_workbook("碧澜开拓_2019年3月_扶贫金融报表.xlsx"),
        one_workbook("报表201903.xlsx"),
        one_workbook("报表.xlsx", cover_title="碧澜开拓银行2019年3月报送说明"),
        titled(TITLE, "报告期：2019年3月", "填报日期：2019年7月5日"),
        titled(TITLE, "填报日期：2019年3月31日"),
        titled(f"二〇一九年三月{TITLE}"),
        titled(f"2019年三月份{TITLE}"),
        titled(f"19年3月{TITLE}"),
        titled(TITLE, "2019年1月1日至3月31日"),
        titled(TITLE, "2019.1.1-3.31"),
        one_workbook("6月报表.xlsx", cover_title="2019年3月报送说明"),
    ],
    ids=range(17),
)
def test_a_package_of_another_month_is_refused_in_one_sentence(files: list[DeliveredFile], ruleset: Ruleset) -> None:
    judged = judge(files, ruleset)
    (finding,) = judged.findings
    assert (finding.rule, finding.report, finding.file) == ("F13", None, None)
    assert finding.message.startswith("这像是2019年3月的报表，放进了2019年6月（文件中写的是“")
    assert judged.verdict is Verdict.REJECTED
    assert {report.verdict for report in judged.reports} == {Verdict.REJECTED}


def test_a_month_without_its_year_is_one_in_a_title(ruleset: Ruleset) -> None:
    for files in (
        titled(f"3月份{TITLE}"),
        one_workbook("报表.xlsx", sheet=f"{TITLE}（3月）"),
        one_workbook("三月.xlsx"),
    ):
        (finding,) = judge(files, ruleset).findings
        assert finding.message.startswith("这像是3月的报表，放进了2019年6月")
    assert judge(titled(f"6月份{TITLE}"), ruleset).findings == ()


@pytest.mark.parametrize(
    "files",
    [
        titled(),
        titled(TITLE),
        titled(f"2019年6月{TITLE}", "填报日期：2019年7月5日"),
        titled(TITLE, "填报日期：2019年7月5日"),
        titled(TITLE, "2019年7月3日"),
        titled(f"{TITLE}（2019年1月至6月）"),
        titled(TITLE, "注：2016年1月1日以来签订的责任书都要列入"),
        titled(TITLE, "日期格式如2018-12-31"),
        titled(TITLE, "填报日期：2019年7月31日"),
        titled(TITLE, "制表时间：2019年7月"),
        titled(TITLE, "请于2019年7月底前报送"),
        titled(TITLE, "年初数为2018年12月末余额"),
        titled(TITLE, "较2018年12月31日增减"),
        titled(TITLE, "上年同期：2018年6月末"),
        titled(TITLE, "与2019年5月比较"),
        titled(TITLE, "2016年12月31日印发"),
        titled(TITLE, "模板（2019年1月版）"),
        titled(TITLE, "有效期至：2020年12月"),
        one_workbook("2019年7月报送.xlsx"),
        one_workbook("台账201901-06.xlsx"),
        # One of them is right; which, nobody can tell.
        titled(f"2019年3月{TITLE}", "报告期：2019年6月30日"),
        one_workbook("2019年6月报表.xlsx", cover_title="2019年3月报送说明"),
    ],
    ids=range(22),
)
def test_a_package_that_names_its_month_or_none_is_judged(files: list[DeliveredFile], ruleset: Ruleset) -> None:
    judged = judge(files, ruleset)
    assert (judged.findings, judged.verdict) == ((), Verdict.ACCEPTED)


@pytest.mark.parametrize(
    "files",
    [
        titled(f"榕岸商贸银行阳江分行{TITLE}"),
        titled(TITLE, "填报单位：榕岸商贸"),
        titled(TITLE, "机构代码：B06"),
        one_workbook("B06-报表.xlsx"),
        one_workbook("b06.xlsx"),
        one_workbook("榕岸商贸_2019年6月_扶贫金融报表.xlsx"),
        one_workbook("报表.xlsx", cover_title="榕岸商贸银行阳江分行2019年6月报送说明"),
    ],
    ids=range(7),
)
def test_another_banks_package_is_refused_in_one_sentence(files: list[DeliveredFile], ruleset: Ruleset) -> None:
    (finding,) = judge(files, ruleset).findings
    assert finding.rule == "F13"
    assert finding.message.startswith("这像是榕岸商贸银行阳江分行的报表，放进了碧澜开拓银行阳江分行的文件夹")
    assert judge(files, ruleset, code="B06").findings == ()


@pytest.mark.parametrize(
    "files",
    [
        titled(f"碧澜开拓银行{TITLE}", "与榕岸商贸共同负责的网格另附"),
        titled(TITLE, "报送：演示市中心支行"),
        titled(TITLE, "抄送：江城区扶贫工作办公室"),
        one_workbook("XB06.xlsx"),
        titled(TITLE, "表号：B06表"),
        titled(TITLE, "附表B06"),
        titled(TITLE, "注：含受托榕岸商贸发放的部分"),
        titled(TITLE, "抄送：榕岸商贸"),
        titled(TITLE, "银团牵头行：榕岸商贸"),
    ],
    ids=range(9),
)
def test_who_else_is_named_does_not_matter(files: list[DeliveredFile], ruleset: Ruleset) -> None:
    assert judge(files, ruleset).findings == ()


def test_month_and_institution_make_one_finding(ruleset: Ruleset) -> None:
    (finding,) = judge(one_workbook("B06_201903.xlsx"), ruleset).findings
    assert "这像是2019年3月的报表" in finding.message
    assert "这像是榕岸商贸银行阳江分行的报表" in finding.message


def test_what_is_wrong_in_the_rows_is_not_said_beside(ruleset: Ruleset) -> None:
    rows = [sound("visits", visited_on="2019-03-01")]
    lines = [["贫困户走访存档（2019年3月）"], *table("visits", rows)]
    files = [cover_file(cover_line("visits", rows)), DeliveredFile("visits.csv", csv_bytes(lines))]
    assert [finding.rule for finding in judge(files, ruleset).findings] == ["F13"]
    march = replace(ruleset, period=Period(2019, 3))
    assert "F13" not in {finding.rule for finding in judge(files, march).findings}


def test_data_that_names_another_bank_or_month_is_data(ruleset: Ruleset) -> None:
    rows = [sound("grid", outlet_name="榕岸商贸银行代理点", outlet_code="B06-201903")]
    assert judge(package(grid=rows), ruleset).findings == ()


@pytest.mark.parametrize(
    ("text", "months", "bare"),
    [
        ("2019年3月", {"2019-03"}, set()),
        ("2019年03月31日", {"2019-03"}, set()),
        ("2019年3月5日", set(), set()),
        ("20190331", {"2019-03"}, set()),
        ("2019.3.31", {"2019-03"}, set()),
        ("2019_03", {"2019-03"}, set()),
        ("2019年1-6月", {"2019-06"}, set()),
        ("2018年12月至2019年1月", {"2019-01"}, set()),
        ("自2016年1月31日起", set(), set()),
        ("2016年1月31日以来", set(), set()),
        ("12个月内到期", set(), set()),
        ("3月报表", set(), {3}),
        ("3月3日", set(), set()),
        ("台账201901-06", {"2019-06"}, set()),
        ("2019年1月1日至6月30日", {"2019-06"}, set()),
        ("20190331120000", set(), set()),
        ("441702201903310017", set(), set()),
    ],
)
def test_months_that_a_text_names(text: str, months: set[str], bare: set[int]) -> None:
    found, without_year = months_named(text)
    assert ({str(month) for month in found}, without_year) == (months, bare)
