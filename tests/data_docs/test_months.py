"""Data Docs: which rule held in which version, and no value of anybody (docs/reports.md#sensitive-columns)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import close, collect
from five_precisions.data_docs import months as data_docs_module
from five_precisions.data_docs.months import build_data_docs, read_month
from five_precisions.data_docs.site import ReportVersion
from five_precisions.errors import UnreachableError
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.rules.suites import load_suite
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from tests.packages import (
    ACCOUNT,
    CREDIT_CODE,
    JUNE,
    OTHER_RESIDENT_ID,
    PHONE,
    RESIDENT_ID,
    cover_file,
    cover_line,
    csv_bytes,
    declared,
    package,
    put,
    report_file,
    sound,
    table,
)

WRONG_ID = RESIDENT_ID[:-1] + "8"
LOANS = [
    sound("loans", borrower_id=WRONG_ID),
    sound("loans", contract_no="HT-002", balance="60000", borrower_id=OTHER_RESIDENT_ID, borrower_name="黄小燕"),
    sound("loans", contract_no="HT-003", balance="70000"),
    sound("loans", contract_no="HT-004", balance="不详"),
]
GRID = [sound("grid", hotline="1", head="=cmd", outlet_name="<script>alert(1)</script>")]


@pytest.fixture
def engine(engine: Engine, settings: Settings) -> Engine:
    """June: B01's loans rejected, then mended; its grid warned of; B02's loans without a column; the month closed."""
    inbox = Path(settings.inbox_address) / "2019-06"
    put(inbox / "B01" / "v1", package(loans=LOANS, grid=GRID, visits=[]))
    put(inbox / "B01" / "v2", package(loans=[sound("loans")]))
    header, *rows = table("loans", [sound("loans", balance="60000")])
    drop = header.index("到期日期")
    cut = [[cell for column, cell in enumerate(row) if column != drop] for row in (header, *rows)]
    lines = cover_file(cover_line("loans", [sound("loans", balance="60000")]))
    put(inbox / "B02" / "v1", [lines, DeliveredFile("loans.csv", csv_bytes(cut))])
    put(inbox / "B03" / "v1", [cover_file(cover_line("grid", [sound("grid")])), report_file("grid", [])])
    for code in ("B01", "B02", "B03"):
        collect(engine, settings, JUNE, institution=code, replay=True)
    close(engine, settings, JUNE, replay=True)
    return engine


def pages(settings: Settings) -> dict[str, str]:
    root = Path(settings.data_docs_address)
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*") if path.is_file()}


def words(page: str) -> str:
    """The page as one reads it."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page.partition("</style>")[2])))


def versions(engine: Engine, settings: Settings) -> dict[tuple[str, str], ReportVersion]:
    with engine.connect() as connection:
        month = read_month(connection, settings, JUNE)
    return {(version.submission_id, version.report.code): version for version in month.versions}


def failures(version: ReportVersion) -> dict[tuple[str, str], int]:
    return {(outcome.rule.rule, outcome.rule.column): outcome.findings or 0 for outcome in version.failed}


def test_each_version_is_held_against_its_suite(engine: Engine, settings: Settings) -> None:
    found = versions(engine, settings)
    first, second = found["2019-06-B01-1", "loans"], found["2019-06-B01-2", "loans"]
    # Of three messages of L01 on one column, it is the one of the check digit.
    assert failures(first) == {("L01", "borrower_id"): 1, ("L03", "balance"): 2}
    assert [each.rule.message for each in first.failed if each.rule.rule == "L01"] == [
        "借款人身份证号码校验位不符，号码有误，请核对证件。"
    ]
    assert len(first.asked) == len(load_suite(declared("loans")).rules)
    assert first.other_findings == 1  # the T02, which no suite holds
    assert not first.is_frozen
    assert (failures(second), second.is_frozen, second.held_percent) == ({}, True, 100)
    assert failures(found["2019-06-B01-1", "grid"]) == {("G01", "hotline"): 1}
    assert found["2019-06-B01-1", "grid"].is_frozen


def test_what_could_not_be_asked_has_not_held(engine: Engine, settings: Settings) -> None:
    found = versions(engine, settings)
    cut = found["2019-06-B02-1", "loans"]
    unasked = {outcome.rule.column for outcome in cut.outcomes if outcome.findings is None}
    assert unasked == {"matures_on"}
    assert failures(cut) == {("L03", "balance"): 1}
    nil, empty = found["2019-06-B01-1", "visits"], found["2019-06-B03-1", "grid"]
    assert (nil.asked, nil.held_percent, empty.asked) == ((), None, ())


def test_pages_name_rule_count_and_version(engine: Engine, settings: Settings) -> None:
    address = build_data_docs(engine, settings, JUNE)
    assert Path(address) == Path(settings.data_docs_address) / "2019-06" / "index.html"
    found = pages(settings)
    index = words(found["2019-06/index.html"])
    assert "L03 错误 金融精准扶贫贷款台账 贷款余额 贷款余额大于发放金额，请核对两项金额。 2 2 3" in index
    assert "T02 错误 1 1" in index
    assert "演示数据" in index
    assert len(re.findall("B01 岭海通商 第1版|B01 岭海通商 第2版 计入考核", index)) >= 2
    [page] = [words(page) for path, page in found.items() if "/loans/2019-06-B01-1/" in path]
    assert "回执号 2019-06-B01-1" in page
    judged = (
        "L03 错误｜贷款余额｜贷款余额大于发放金额，请核对两项金额。〔Great Expectations〕 2 处不符，涉及 4 行中的 50%"
    )
    assert judged in page
    rules = len(load_suite(declared("loans")).rules)
    assert f"由 Great Expectations 判定 2 由筛查判定 {rules - 2} 未检查 0" in page
    assert len(re.findall("〔筛查〕", page)) == 1 + rules - 2
    assert page.index("L03 ") < page.index("全部符合的列") < page.index("L06 ")
    [cut] = [words(page) for path, page in found.items() if "/loans/2019-06-B02-1/" in path]
    assert "未检查 这些规则所看的列没有报送" in cut
    # Every suite has a page: what the library asks, and what an institution reads.
    suite = words(found[next(path for path in found if path.endswith("expectations/loans.html"))])
    assert "values must be unique" in suite
    for report in load_reports().values():
        [path] = [path for path in found if path.endswith(f"expectations/{report.code}.html")]
        for rule in load_suite(report).rules:
            assert rule.message.partition("{")[0] in words(found[path])


def test_no_page_holds_a_value_or_asks_for_anything_outside(engine: Engine, settings: Settings) -> None:
    build_data_docs(engine, settings, JUNE)
    found = pages(settings)
    delivered = [RESIDENT_ID, WRONG_ID, OTHER_RESIDENT_ID, PHONE, ACCOUNT, CREDIT_CODE, "0662-1234567"]
    delivered += ["陈大文", "黄小燕", "HT-00", "H-1", "王五", "=cmd", "不详", "alert", "李某"]
    for path, page in found.items():
        assert [value for value in delivered if value in page] == [], path
        # Nor masked: a mask shows the ends of a value.
        assert [
            value for value in (RESIDENT_ID[:4] + "**", "****" + ACCOUNT[-4:], "138**", "陈*") if value in page
        ] == []
        assert re.findall(r"//|<script|<link|<img|<iframe|@import|url\(|\ssrc=|\son\w+=", page) == [], path
        for target in re.findall(r'href="([^"]*)"', page):
            assert (Path(settings.data_docs_address) / path).parent.joinpath(target).resolve().is_file(), (path, target)


def test_the_same_ledger_gives_the_same_site_and_a_new_one_replaces_it(engine: Engine, settings: Settings) -> None:
    build_data_docs(engine, settings, JUNE)
    before = pages(settings)
    assert build_data_docs(engine, settings, JUNE).endswith("2019-06/index.html")
    assert pages(settings) == before
    with engine.begin() as connection:
        connection.execute(text("delete from intake.finding where rule = 'L03'"))
    build_data_docs(engine, settings, JUNE)
    after = pages(settings)
    assert {path.split("/")[1] for path in before} & {path.split("/")[1] for path in after} == {"index.html"}
    (index_before,) = [page for path, page in before.items() if path.endswith("/index.html")]
    (index_after,) = [page for path, page in after.items() if path.endswith("/index.html")]
    assert "L03" in words(index_before)
    assert "L03" not in words(index_after)


def test_ended_in_the_middle_the_old_site_stays(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_data_docs(engine, settings, JUNE)
    before = pages(settings)
    with engine.begin() as connection:
        connection.execute(text("delete from intake.finding where rule = 'L03'"))
    write = data_docs_module.write_into

    def write_half(name: str, address: str, contents: dict[str, bytes]) -> Iterator[str]:
        half = list(contents.items())[: len(contents) // 2]
        write(name, address, dict(half))
        raise UnreachableError("The data docs folder cannot be written to: no space.")

    with monkeypatch.context() as broken:
        broken.setattr(data_docs_module, "write_into", write_half)
        with pytest.raises(UnreachableError, match="no space"):
            build_data_docs(engine, settings, JUNE)
    assert {path: page for path, page in pages(settings).items() if path in before} == before
    build_data_docs(engine, settings, JUNE)
    assert len({path.split("/")[1] for path in pages(settings)}) == 2


def test_expectations_of_a_suite_are_told_apart_by_rule_column_and_message() -> None:
    for report in load_reports().values():
        rules = [(rule.rule, rule.column, rule.message) for rule in load_suite(report).rules]
        assert len(rules) == len(set(rules)), report.code
