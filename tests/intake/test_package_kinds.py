"""What institutions put into their folder: one zip, stamped scans, what programs leave, reports they do not owe.

See docs/intake.md#the-package; F07, F10.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from five_precisions.collection import check
from five_precisions.intake.findings import Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.leftovers import is_leftover
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.package_sheets import is_complete
from five_precisions.intake.ruleset import Ruleset, ruleset_of
from five_precisions.period import Period
from five_precisions.receipts import JudgedSheets
from five_precisions.register import InstitutionKind, Obligation, Register
from five_precisions.settings import Settings
from tests.packages import (
    JUNE,
    RESIDENT_ID,
    cover_file,
    cover_line,
    package,
    put,
    sound,
    sound_package,
    table,
    workbook,
)

BANK = InstitutionKind.BANK
LEFTOVERS = [
    *("~$loans.xlsx", ".~lock.loans.ods#", "loans.xlsx.filepart", "loans.csv.part", "loans.tmp", "loans.crdownload"),
    *("loans.csv~", "loans.bak", "loans.xlk", "Thumbs.db", "desktop.ini", ".DS_Store", "THUMBS.DB", "loans.xlsx.BAK"),
]


def judge(files: list[DeliveredFile], ruleset: Ruleset, code: str = "B01") -> JudgedPackage:
    institution = ruleset.register.institution(code)
    assert institution is not None
    return judge_package(files, institution, ruleset)


def zipped(files: list[DeliveredFile], *, name: str = "报送包.zip", folder: str = "") -> DeliveredFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(folder + file.name, file.content)
    return DeliveredFile(name, content.getvalue())


def rules(judged: JudgedPackage) -> list[str]:
    return [finding.rule for finding in judged.findings]


# Zips


@pytest.mark.parametrize("folder", ["", "B01/", "2019-06/B01/"])
def test_a_zip_of_the_package_is_the_package(folder: str, ruleset: Ruleset) -> None:
    judged = judge([zipped(sound_package("grid", "loans"), folder=folder)], ruleset)
    assert (judged.findings, judged.verdict) == ((), Verdict.ACCEPTED)
    assert {report.report: report.file for report in judged.reports} == {
        "loans": "报送包.zip/loans.csv",
        "grid": "报送包.zip/grid.csv",
    }


def test_files_may_lie_beside_the_zip(ruleset: Ruleset) -> None:
    cover, grid, loans = package(grid=[sound("grid")], loans=[sound("loans")])
    judged = judge([cover, zipped([grid, loans])], ruleset)
    assert (judged.findings, len(judged.reports)) == ((), 2)
    twice = judge([cover, grid, zipped([grid, loans])], ruleset)
    (finding,) = twice.findings
    assert (finding.rule, finding.report) == ("F09", "grid")
    assert "grid.csv、报送包.zip/grid.csv" in finding.message


def test_one_file_of_a_zip_that_does_not_open_is_named_alone(ruleset: Ruleset) -> None:
    cover, grid, _ = package(grid=[sound("grid")], loans=[sound("loans")])
    judged = judge([zipped([cover, grid, DeliveredFile("loans.xlsx", b"PK\x03\x04 and no more")])], ruleset)
    assert [(finding.rule, finding.report, finding.file) for finding in judged.findings] == [
        ("F01", "loans", "报送包.zip/loans.xlsx")
    ]
    assert {report.report: report.verdict for report in judged.reports} == {
        "loans": Verdict.REJECTED,
        "grid": Verdict.ACCEPTED,
    }


def test_a_zip_that_does_not_open_rejects_what_may_be_in_it(ruleset: Ruleset) -> None:
    broken = zipped(sound_package("grid"))
    judged = judge([DeliveredFile(broken.name, broken.content[:-30])], ruleset)
    assert (rules(judged), judged.verdict) == (["F01"], Verdict.REJECTED)
    assert "压缩包已损坏" in judged.findings[0].message


@pytest.mark.parametrize("name", ["报送包.rar", "报送包.7z"])
def test_other_archives_say_what_to_do(name: str, ruleset: Ruleset) -> None:
    (finding,) = judge([DeliveredFile(name, b"Rar!\x1a\x07\x00")], ruleset).findings
    assert (finding.rule, "解压后报送" in finding.message) == ("F01", True)


def test_an_id_in_a_name_inside_the_zip_is_masked(ruleset: Ruleset) -> None:
    cover, grid = sound_package("grid")
    judged = judge([zipped([cover, grid, DeliveredFile(f"{RESIDENT_ID}.pdf", b"x")])], ruleset)
    assert [finding.file for finding in judged.findings] == ["报送包.zip/4417**********0017.pdf"]


def test_the_findings_workbook_shows_the_sheets_of_a_zip(ruleset: Ruleset) -> None:
    files = [zipped(package(grid=[sound("grid", hotline="")], visits=[sound("visits")]))]
    shown = JudgedSheets(files, judge(files, ruleset), ruleset.limits).masked()
    assert [(sheet.file, len(sheet.rows)) for sheet in shown] == [
        ("报送包.zip/cover.csv", 3),
        ("报送包.zip/grid.csv", 2),
        ("报送包.zip/visits.csv", 2),
    ]


def test_scans_in_a_folder_of_the_zip_are_named_alone(ruleset: Ruleset) -> None:
    scan = DeliveredFile("扫描件/盖章.pdf", b"%PDF")
    judged = judge([zipped([*sound_package("grid"), scan], folder="B01/")], ruleset)
    assert [(finding.rule, finding.file) for finding in judged.findings] == [("F07", "报送包.zip/盖章.pdf")]


# What lies beside


@pytest.mark.parametrize("name", ["盖章.jpg", "盖章扫描件.PDF", "说明.docx", "说明.wps", "readme.txt", "截图.png"])
def test_a_scan_beside_the_reports_changes_no_verdict(name: str, ruleset: Ruleset) -> None:
    judged = judge([*sound_package("grid"), DeliveredFile(name, b"no report")], ruleset)
    (finding,) = judged.findings
    assert (finding.rule, finding.file, judged.verdict) == ("F07", name, Verdict.ACCEPTED)
    assert finding.message == f"“{name}”是图片或文档，已归档，不作为报表读取，不影响其他报表。"


def test_a_scan_of_a_report_is_none_in_its_stead(ruleset: Ruleset) -> None:
    cover, grid = sound_package("grid")
    scan = DeliveredFile("grid.pdf", b"%PDF")
    judged = judge([cover, scan], ruleset)
    assert [(finding.rule, finding.report) for finding in judged.findings] == [("F01", "grid")]
    beside = judge([cover, grid, scan], ruleset)
    assert (rules(beside), beside.verdict) == (["F07"], Verdict.ACCEPTED)


@pytest.mark.parametrize("name", LEFTOVERS)
def test_what_programs_leave_is_ignored_by_the_self_check(name: str, tmp_path: Path) -> None:
    assert is_leftover(name)
    put(tmp_path / "B01", [*sound_package("grid"), DeliveredFile(name, b"x")])
    judgement = check(Settings(), tmp_path / "B01", "B01", JUNE)
    assert (judgement.findings, str(judgement.verdict)) == ((), "accepted")


@pytest.mark.parametrize("name", ["loans.csv", "part.xlsx", "bak.xlsx", "说明.docx", "a~b.csv", "tmp"])
def test_what_a_person_sends_is_no_leftover(name: str) -> None:
    assert not is_leftover(name)


def test_a_folder_beside_the_files_is_named(tmp_path: Path) -> None:
    put(tmp_path / "B01", sound_package("grid"))
    put(tmp_path / "B01" / "附件", sound_package("loans"))
    (finding,) = check(Settings(), tmp_path / "B01", "B01", JUNE).findings
    assert (finding.rule, "“附件”是文件夹" in finding.message) == ("F07", True)


@pytest.mark.parametrize(("name", "complete"), [("录像.mp4", False), ("报表.xlsx", True), ("报表.zip", True)])
def test_only_what_may_hold_the_cover_ends_the_wait_for_it(name: str, complete: bool, ruleset: Ruleset) -> None:
    files = [*sound_package("grid")[1:], DeliveredFile(name, b"does not open")]
    assert is_complete(files, ruleset, replay=False) is complete


# Reports of others


def test_a_report_that_is_not_owed_is_left_out_and_named(ruleset: Ruleset) -> None:
    judged = judge(package(grid=[sound("grid")], households=[sound("households", bank_code="B99")]), ruleset)
    (finding,) = judged.findings
    assert (finding.rule, str(finding.level), finding.file) == ("F10", "notice", "households.csv")
    assert [report.report for report in judged.reports] == ["grid"]
    assert judged.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "file",
    [
        DeliveredFile("households.xlsx", b"PK\x03\x04x"),
        DeliveredFile("projects.csv", b""),
        DeliveredFile("产业扶贫项目库.xls", b"no spreadsheet"),
        DeliveredFile("inspections.zip", b"PK\x03\x04x"),
    ],
    ids=lambda file: file.name,
)
def test_a_file_of_a_report_that_is_not_owed_need_not_open(file: DeliveredFile, ruleset: Ruleset) -> None:
    judged = judge([*sound_package("grid", "loans"), file], ruleset)
    assert (rules(judged), judged.findings[0].file, judged.verdict) == (["F10"], file.name, Verdict.ACCEPTED)


def test_nothing_else_is_said_of_a_report_that_is_left_out(ruleset: Ruleset) -> None:
    grid = [sound("grid")]
    lines = [["households", "一", "x", "maybe"], ["households", "1", "", "否"]]
    files = [cover_file(cover_line("grid", grid), *lines), *package(grid=grid)[1:]]
    judged = judge(files, ruleset)
    assert (rules(judged), judged.verdict) == (["F10"], Verdict.ACCEPTED)


def test_a_package_of_nothing_owed_is_refused(ruleset: Ruleset) -> None:
    judged = judge(package(households=[sound("households")]), ruleset)
    assert (rules(judged), judged.verdict) == (["F09", "F10"], Verdict.REJECTED)
    assert "是否放错了文件夹" in judged.findings[0].message


def owing(register: Register, period: Period, *dated: Obligation) -> Ruleset:
    """What packages of a month are held against, where reports of banks are owed by date."""
    reports = {each.report for each in dated}
    others = tuple(each for each in register.obligations if each.report not in reports or each.kind is not BANK)
    return ruleset_of(Settings(), replace(register, obligations=(*others, *dated)), period)


@pytest.mark.parametrize(
    ("dates", "opened_on", "says"),
    [
        (
            {"from_period": Period(2019, 7)},
            None,
            "“产业项目对接表”自2019年7月起由贵单位报送，2019年6月不需报送，已略过",
        ),
        ({"until_period": Period(2019, 5)}, None, "“产业项目对接表”只报送到2019年5月，2019年6月不需报送，已略过"),
        ({"from_month": 2}, date(2019, 6, 17), "“产业项目对接表”自2019年7月起由贵单位报送，2019年6月不需报送，已略过"),
        (
            {"from_month": 3, "from_period": Period(2019, 7)},
            date(2019, 6, 17),
            "“产业项目对接表”自2019年8月起由贵单位报送",
        ),
        ({"from_month": 2}, None, None),
        ({"from_period": JUNE, "until_period": JUNE}, None, None),
    ],
)
def test_a_report_of_other_months_is_left_out_and_says_from_when_on_it_is_owed(
    register: Register, dates: dict[str, Any], opened_on: date | None, says: str | None
) -> None:
    if opened_on is not None:
        opened = tuple(
            replace(each, opened_on=opened_on) if each.code == "B01" else each for each in register.institutions
        )
        register = replace(register, institutions=opened)
    june = owing(register, JUNE, Obligation(BANK, "matches", nil_allowed=True, **dates))
    judged = judge(package(grid=[sound("grid")], matches=[sound("matches")]), june)
    assert judged.verdict is Verdict.ACCEPTED
    if says is None:
        assert (rules(judged), len(judged.reports)) == ([], 2)
        return
    (finding,) = judged.findings
    assert (finding.rule, str(finding.level), finding.file) == ("F10", "notice", "matches.csv")
    assert finding.message.startswith(says)
    assert [report.report for report in judged.reports] == ["grid"]


def test_a_package_of_other_months_reports_only_asks_for_its_month(register: Register) -> None:
    """It is nobody else's, so the folder is right; the file of a report of others makes it the folder again."""
    june = owing(register, JUNE, Obligation(BANK, "matches", nil_allowed=True, from_period=Period(2019, 7)))
    judged = judge(package(matches=[sound("matches")]), june)
    assert (rules(judged), judged.verdict) == (["F09", "F10"], Verdict.REJECTED)
    assert judged.findings[0].message == "报送包中没有本期应报的报表，请核对报送月份。"
    judged = judge(package(matches=[sound("matches")], households=[sound("households")]), june)
    [refused] = [finding.message for finding in judged.findings if finding.rule == "F09"]
    assert "是否放错了文件夹" in refused


def test_what_a_kind_may_deliver_and_owes_in_no_month_is_taken(register: Register) -> None:
    judged = judge(package(grid=[sound("grid")], matches=[sound("matches")]), owing(register, JUNE))
    assert judged.findings == ()
    without = replace(register, obligations=tuple(each for each in register.obligations if each.report != "matches"))
    judged = judge(package(matches=[sound("matches")]), ruleset_of(Settings(), without, JUNE))
    assert (judged.findings, [report.report for report in judged.reports]) == ((), ["matches"])


@pytest.mark.parametrize(("month", "found"), [(6, []), (7, ["F04"])])
def test_a_nil_return_is_enough_in_the_months_that_allow_it(register: Register, month: int, found: list[str]) -> None:
    until_june = Obligation(BANK, "matches", nil_allowed=True, until_period=JUNE)
    from_july = Obligation(BANK, "matches", nil_allowed=False, from_period=Period(2019, 7))
    judged = judge(
        package(grid=[sound("grid")], matches=[]), owing(register, Period(2019, month), until_june, from_july)
    )
    assert rules(judged) == found


# Names of sheets


def test_a_workbook_named_et_is_read(ruleset: Ruleset) -> None:
    rows = [sound("grid")]
    content = workbook(
        网格化管理责任表=table("grid", rows), 报送说明=[["报表", "行数", "合计金额", "零报送"], ["grid", "1", "", "否"]]
    )
    assert judge([DeliveredFile("报表.et", content)], ruleset).findings == ()


@pytest.mark.parametrize(
    "name",
    [
        "网格化管理责任表（2019年6月）",
        "网格化管理责任表201906",
        "2019年6月网格化管理责任表",
        "6月网格化管理责任表",
        "附件1：网格化管理责任表",
        "表3-网格化管理责任表",
        "5.网格化管理责任表",
        "grid_2019-06",
    ],
)
def test_a_month_or_number_beside_the_title_of_a_sheet_is_tolerated(name: str, ruleset: Ruleset) -> None:
    rows = [sound("grid")]
    cover = [["报表", "行数", "合计金额", "零报送"], ["grid", "1", "", "否"]]
    content = workbook(**{name: table("grid", rows), "报送说明（6月）": cover})
    judged = judge([DeliveredFile("报表.xlsx", content)], ruleset)
    assert (judged.findings, judged.reports[0].rows) == ((), 1)


def test_beside_the_sheet_of_the_very_title_others_are_ignored(ruleset: Ruleset) -> None:
    rows = [sound("grid")]
    cover = [["报表", "行数", "合计金额", "零报送"], ["grid", "1", "", "否"]]
    sheets = {"网格化管理责任表": table("grid", rows), "网格化管理责任表（5月）": [["x"]], "报送说明": cover}
    (finding,) = judge([DeliveredFile("报表.xlsx", workbook(**sheets))], ruleset).findings
    assert (finding.rule, finding.sheet) == ("F07", "网格化管理责任表（5月）")
