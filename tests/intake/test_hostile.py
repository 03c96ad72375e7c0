"""Packages that a bank would rather not have sent (docs/intake.md#bad-input; rules F01 to F09, T01 to T05).

The packages are made by tests/fixtures/hostile/make.py; here stands what is to come of each. Beside the file that is
meant, each holds a sound report, which is accepted whatever the other one is.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import collect
from five_precisions.intake import Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.sheet import Limits
from five_precisions.intake.ruleset import Ruleset, ruleset_of
from five_precisions.register import Register
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from tests.fixtures.hostile.make import HERE, LARGE, SMALL, Package
from tests.packages import JUNE, package, put, sound, sound_package

pytestmark = pytest.mark.slow

Expected = tuple[str, str | None, str]
"""Rule, cell, words of the message."""

DAMAGED: Expected = ("F01", None, "已损坏或不完整")
LOCKED: Expected = ("F01", None, "打开密码")

# Notices are F05 and F07, everything else is critical and rejects the report; nothing = accepted.
FINDINGS: dict[str, list[Expected]] = {
    "not-a-spreadsheet": [("F01", None, "不是电子表格文件")],
    "not-a-spreadsheet-web-page-named-xls": [("F01", None, "内容却是网页（HTML）")],
    "not-an-allowed-kind": [("F01", None, "不是允许的文件类型")],
    "zip-that-is-no-workbook": [DAMAGED],
    "zip-of-a-workbook": [DAMAGED],
    "empty-file": [("F01", None, "0字节")],
    "empty-workbook": [("F02", None, "前十行中找不到表头行，请使用模板的表头：县区")],
    "empty-csv-but-for-its-mark": [("F02", None, "前十行中找不到表头行，请使用模板的表头：县区")],
    "truncated-xlsx": [DAMAGED],
    "truncated-xls": [DAMAGED],
    "truncated-xlsb": [DAMAGED],
    "truncated-ods": [DAMAGED],
    "truncated-parquet": [("F01", None, "Parquet 文件已损坏")],
    "truncated-in-the-middle-of-the-xml": [DAMAGED],
    "password-xlsx": [LOCKED],
    "password-xls": [LOCKED],
    "password-ods": [LOCKED],
    "password-zip": [LOCKED],
    "password-parquet": [("F01", None, "Parquet 文件已加密")],
    "bomb-nested-in-a-bomb": [DAMAGED],
    "bomb-of-two-cells-far-apart": [("F01", None, "散布得过宽")],
    "bomb-of-two-cells-far-apart-within-the-limits": [("F01", None, "散布得过宽")],
    "bomb-of-small-letters-far-apart": [("F01", None, "散布得过宽")],
    "bomb-of-cells-without-addresses": [("F01", None, "散布得过宽")],
    "bomb-of-a-binary-cell-far-out": [("F01", None, "散布得过宽")],
    "bomb-of-a-text-shown-again-and-again": [("F01", None, "256MB")],
    "bomb-of-sheets-that-share-a-part": [DAMAGED],
    "bomb-of-xls-cell-far-out": [DAMAGED],
    "bomb-of-repeated-rows": [("F01", None, "散布得过宽")],
    "bomb-of-repeated-rows-and-columns": [("F01", None, "超过200列")],
    "bomb-of-a-repeat-without-end": [DAMAGED],
    "bomb-of-xml-entities-in-ods": [("F01", None, "实体声明")],
    "bomb-of-xml-entities-in-xlsx": [("F01", None, "实体声明")],
    "external-entity-in-xlsx": [("F01", None, "实体声明")],
    "external-entity-in-ods": [("F01", None, "实体声明")],
    "million-empty-formatted-rows-in-ods": [],
    "more-columns-than-allowed": [("F01", None, "超过200列")],
    "macros-are-not-run": [],
    "external-links-are-not-followed": [],
    "dde-is-not-called": [],
    "hidden-rows-columns-and-sheets-are-data": [("F07", None, "“说明”不是报表，已忽略；报表的工作表以报表")],
    "comments-are-no-data": [],
    "nine-title-rows-and-a-total": [],
    "ten-title-rows": [("F02", None, "前十行中找不到表头行，请使用模板的表头：县区")],
    "merged-title-cells": [],
    "wrong-total-row": [("F06", "B4", "合计行的各项贷款余额与各行之和3000.50")],
    "total-row-in-the-middle": [("F06", "A3", "合计行必须是最后一行，请把它移到最后，或删除")],
    "last-years-template": [
        ("F02", None, "缺少表头“支农再贷款展期金额”，请补上这一列"),
        ("F02", None, "缺少表头“本年新产品个数”，请补上这一列，表"),
        ("F02", "B1", "缺少表头“各项贷款余额”，疑似误写为“贷款余"),
        ("F02", "C1", "缺少表头“各项贷款年初余额”，疑似误写为“年"),
        ("F02", "D1", "缺少表头“扶贫小额信贷年初余额”，疑似误写为"),
        ("F02", "E1", "缺少表头“支农再贷款余额”，疑似误写为“再贷"),
    ],
    "headers-with-blanks-and-line-breaks": [],
    "header-misspelt": [("F02", "A1", "缺少表头“县区代码”，疑似误写为“县区代号”")],
    "header-doubled": [("F02", "H1", "表头“各项贷款余额”重复出现在B列、H列，请")],
    "headers-only-in-a-picture": [("F02", None, "前十行中找不到表头行，请使用模板的表头：县区")],
    "unknown-column-and-sheet": [
        ("F05", "H1", "多出的列“备注”不属于本报表，已忽略"),
        ("F07", None, "“封面”不是报表，已忽略；报表的工作表以报表"),
    ],
    "two-files-for-one-report": [("F09", None, "“贷款与再贷款月报”报送了2份：positi")],
    "two-sheets-of-one-name": [("F09", None, "“贷款与再贷款月报”报送了2份：本月.xls")],
    "file-without-cover-line": [("F09", None, "报送说明没有列出“金融精准扶贫贷款台账”，请")],
    "sheet-part-missing": [DAMAGED],
    "styles-part-missing": [],
    "shared-text-beyond-the-last": [DAMAGED],
    "checksum-wrong": [DAMAGED],
    "rows-and-cells-out-of-order": [],
    "dimension-that-lies": [],
    "dimension-that-boasts": [],
    "cell-beyond-the-last-column": [("F01", None, "超过200列")],
    "workbook-of-another-format-than-its-name": [],
    "text-file-named-xlsx": [],
    "path-tricks-in-member-names": [],
    "error-cells-in-xlsx": [
        ("T02", "E2", "单元格是公式错误#REF!，请改正公式或直接"),
        ("T02", "F3", "单元格是公式错误#N/A，请改正公式或直接填"),
    ],
    "error-cells-in-xls": [
        ("T02", "E2", "单元格是公式错误#REF!，请改正公式或直接"),
        ("T02", "F3", "单元格是公式错误#N/A，请改正公式或直接填"),
    ],
    "error-cells-in-xlsb": [
        ("T02", "E2", "单元格是公式错误#REF!，请改正公式或直接"),
        ("T02", "F3", "单元格是公式错误#N/A，请改正公式或直接填"),
    ],
    "error-cells-in-ods": [
        ("T02", "E2", "单元格是公式错误#REF!，请改正公式或直接"),
        ("T02", "F3", "单元格是公式错误#N/A，请改正公式或直接填"),
    ],
    "error-of-opendocument-alone": [("T02", "E2", "单元格是公式错误Err:502，请改正公式或")],
    "formulas-count-by-their-stored-value": [],
    "formulas-without-a-stored-value": [("T02", "B3", "B3的公式还没有计算结果，请用电子表格软件打开")],
    "rich-text-cells": [],
    "inline-texts": [],
    "numbers-as-text-with-separators-and-full-width-digits": [],
    "numbers-with-units": [
        ("T02", "B3", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "E3", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "G3", "不是数字，请只填写数字，不要带单位或文字"),
    ],
    "number-in-scientific-notation": [("T02", "C3", "数字是科学记数法，末尾几位可能已经丢失；请填")],
    "negative-and-infinite-numbers": [
        ("T05", "C3", "-1超出范围，请填写以万元为单位、不小于0、"),
        ("T02", "E3", "数字是科学记数法，末尾几位可能已经丢失；请填"),
        ("T02", "F3", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "G3", "不是整数，请填写整数"),
    ],
    "more-decimals-than-allowed": [("T02", "E3", "小数多于2位，请四舍五入到2位小数")],
    "thousands-in-the-wrong-places": [("T02", "E3", "不是数字，请只填写数字，不要带单位或文字")],
    "booleans-and-dates-where-numbers-belong": [
        ("T02", "E2", "不是数字，请填写数字"),
        ("T02", "F3", "不是数字，请填写数字"),
    ],
    "percent-format-in-xlsx": [],
    "percent-format-in-xls": [],
    "percent-format-in-xlsb": [],
    "percent-format-in-ods": [],
    "amount-in-percent-format": [("T02", "E3", "不是数字，请只填写数字，不要带单位或文字")],
    "percent-signs": [],
    "scientific-notation-id": [
        ("T02", "D2", "长编号被当作数字保存，成了科学记数法，末尾几"),
        ("T02", "U2", "长编号被当作数字保存，成了科学记数法，末尾几"),
    ],
    "leading-apostrophes": [],
    "texts-as-formulas-in-csv": [],
    "dates-as-text-in-every-form": [],
    "dates-as-serial-numbers": [],
    "dates-of-1904-in-xlsx": [],
    "dates-of-1904-in-xls": [],
    "dates-of-1904-in-xlsb": [],
    "dates-of-1904-in-ods": [],
    "dates-that-are-none": [
        ("T02", "I2", "没有2019-02-30这一天，请改为实际日"),
        ("T02", "J2", "不是日期，请填写日期，如2019-06-30"),
    ],
    "date-with-a-time-of-day": [("T02", "J2", "不是日期，请填写日期，如2019-06-30")],
    "nul-bytes": [("T02", "A3", "残缺字符")],
    "control-characters": [("T02", "A2", "残缺字符"), ("T02", "E2", "残缺字符")],
    "control-characters-escaped-in-xlsx": [("T02", "A2", "残缺字符")],
    "lone-surrogate-in-csv": [("F01", None, "第2行有半个汉字或读不出的字符")],
    "lone-surrogate-in-xls": [("F01", None, "残缺的字符")],
    "lone-surrogate-escaped-in-xlsx": [("T02", "C2", "残缺字符")],
    "bytes-that-are-no-utf-8-in-xlsx": [DAMAGED],
    "rare-characters-and-long-names": [],
    "name-longer-than-allowed": [("T03", "A2", "合同编号有41个字符，超过40个，请缩短")],
    "value-not-in-the-list": [
        ("T04", "B2", "“个体户”不在可选值之内，请选择：农户、企业"),
        ("T04", "G2", "“Y”不在可选值之内，请填写：是、否"),
    ],
    "required-cells-empty": [
        ("T01", "I2", "发放日期不能为空，请填写日期，如2019-0"),
        ("T01", "K2", "发放金额不能为空，请填写以元为单位、不小于0"),
        ("T01", "Q2", "五级分类不能为空，请填写正常、关注、次级、可"),
    ],
    "number-out-of-bounds": [
        ("T05", "M2", "475超出范围，请填写0到100之间、最多四"),
        ("T05", "R2", "9**********超出范围，请填写不小于"),
    ],
    "credit-code-in-full-width": [],
    "csv-in-utf-8-with-a-mark": [],
    "csv-in-gb18030-with-semicolons": [],
    "csv-with-tabs": [],
    "csv-in-utf-16-without-a-mark": [("F01", None, "不是 UTF-8")],
    "csv-of-two-encodings": [("F01", None, "第2行与其他行")],
    "csv-of-no-encoding": [("F01", None, "不是 UTF-8")],
    "csv-with-unbalanced-quotes": [("F01", None, "引号不成对")],
    "csv-with-cr-alone": [],
    "csv-with-a-mark-in-the-middle": [],
    "csv-of-two-files-one-after-the-other": [
        ("F03", "B2", "报送说明的行数2，实际5行（不含合计行），请"),
        ("K01", "A2", "县区代码在本表中重复，请合并或删除重复的行"),
        ("K01", "A3", "县区代码在本表中重复，请合并或删除重复的行"),
        ("P01", "A4", "县区代码不在行政区划登记册中，请填写六位县区"),
        ("T02", "B4", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "C4", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "D4", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "E4", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "F4", "不是数字，请只填写数字，不要带单位或文字"),
        ("T02", "G4", "不是数字，请只填写数字，不要带单位或文字"),
        ("K01", "A5", "县区代码在本表中重复，请合并或删除重复的行"),
        ("K01", "A6", "县区代码在本表中重复，请合并或删除重复的行"),
    ],
    "csv-with-ragged-rows": [("T01", "G3", "本年新产品个数不能为空，请填写不小于0的整数")],
    "csv-that-is-a-workbook": [("F01", None, "扩展名")],
    "parquet-with-types-of-its-own": [],
    "parquet-with-wrong-types": [
        ("T02", "E2", "不是数字，请填写数字"),
        ("T02", "G2", "不是数字，请填写数字"),
        ("T02", "E3", "不是数字，请填写数字"),
        ("T01", "G3", "本年新产品个数不能为空，请填写不小于0的整数"),
    ],
    "parquet-with-nested-columns": [("F01", None, "不是普通列")],
    "parquet-whose-footer-lies": [("F01", None, "Parquet 文件已损坏")],
    "parquet-whose-row-group-lies": [],
}

SECONDS = 30
MEGABYTES = 1024

LARGE_FINDINGS: dict[str, list[Expected]] = {
    "bomb-of-spaces": [("F01", None, "解压后超过1024MB")],
    "bomb-with-forged-sizes": [DAMAGED],
    "bomb-of-many-members": [("F01", None, "解压后超过1024MB")],
    "bomb-of-overlapping-members": [DAMAGED],
    "bomb-of-twelve-thousand-members": [DAMAGED],
    "bomb-of-one-giant-sheet": [("F01", None, "散布得过宽")],
    "million-empty-formatted-rows": [],
    "more-rows-than-allowed": [("F01", None, "超过1000000行")],
    "larger-than-allowed": [("F01", None, "超过50MB")],
    "long-text-repeated-in-parquet": [("F01", None, "超过256MB")],
    "csv-with-a-cell-of-ten-megabytes": [("F01", None, "13万个字符")],
}

POSITION_VALUES: dict[str, list[Any]] = {
    "county_code": ["441702", "441704"],
    "all_loans": [Decimal("1000.00"), Decimal("2000.50")],
    "all_loans_year_begin": [Decimal("900.00")] * 2,
    "microcredit_year_begin": [Decimal("900.00")] * 2,
    "relending": [Decimal("0.00")] * 2,
    "relending_extended": [Decimal("0.00")] * 2,
    "new_products": [0, 0],
}
LOAN_VALUES: dict[str, list[Any]] = {
    "contract_no": ["HT-001"],
    "borrower_kind": ["农户"],
    "borrower_name": ["陈大文"],
    "borrower_id": ["441702198001010017"],
    "household_no": ["H-1"],
    "category": ["个人经营"],
    "microcredit": [True],
    "issued_on": [date(2019, 3, 15)],
    "matures_on": [date(2022, 3, 15)],
    "principal": [Decimal("50000.00")],
    "annual_rate": [Decimal("4.7500")],
    "payee_account": ["6222021234567890123"],
}
OTHER_VALUES: dict[str, dict[str, list[Any]]] = {
    "rare-characters-and-long-names": {"borrower_name": ["阿卜杜拉·买买提·𠮷田𬎆"], "household_no": ["H-㐂𠮷"]},
    "credit-code-in-full-width": {
        "borrower_kind": ["企业"],
        "borrower_id": ["91350100M000100Y43"],
        "household_no": [None],
        "category": ["产业"],
        "microcredit": [False],
    },
}
"""Where the exact values of an accepted report are others than those of the sound one."""


def delivered(files: Package) -> list[DeliveredFile]:
    return [DeliveredFile(name, content) for name, content in sorted(files.items())]


def judged_as_bank(files: Sequence[DeliveredFile], ruleset: Ruleset) -> JudgedPackage:
    institution = ruleset.register.institution("B01")
    assert institution is not None
    return judge_package(files, institution, ruleset)


def test_every_package_of_the_corpus_has_its_expectation() -> None:
    assert len(SMALL) + len(LARGE) >= 60
    assert list(SMALL) == list(FINDINGS)
    assert list(LARGE) == list(LARGE_FINDINGS)


def test_the_kept_files_are_those_of_the_script() -> None:
    kept = {folder.name: {file.name for file in folder.iterdir()} for folder in HERE.iterdir() if folder.is_dir()}
    kept.pop("__pycache__", None)
    assert kept == {name: set(make()) for name, make in SMALL.items()}


@pytest.mark.parametrize("name", SMALL)
def test_hostile_package(name: str, ruleset: Ruleset) -> None:
    judged = judged_as_bank(
        [DeliveredFile(file.name, file.read_bytes()) for file in sorted((HERE / name).iterdir())], ruleset
    )
    assert_found(judged, FINDINGS[name])
    verdicts = {report.report: report.verdict for report in judged.reports}
    assert verdicts.pop("grid") is Verdict.ACCEPTED
    rejected = {finding.report for finding in judged.findings if finding.level is Level.CRITICAL}
    assert verdicts == {report: Verdict.REJECTED if report in rejected else Verdict.ACCEPTED for report in verdicts}
    if not rejected:
        assert_values(judged, OTHER_VALUES.get(name, {}))


def assert_found(judged: JudgedPackage, expected: Sequence[Expected]) -> None:
    found = judged.findings
    assert [(finding.rule, finding.cell) for finding in found] == [(rule, cell) for rule, cell, _ in expected]
    for finding, (rule, _, words) in zip(found, expected, strict=True):
        assert words in finding.message
        assert finding.message.endswith("。")
        assert rule in ("F05", "F07", "T01") or "请" in finding.message or "必须" in finding.message
        assert finding.level is (Level.NOTICE if rule in ("F05", "F07") else Level.CRITICAL)


def assert_values(judged: JudgedPackage, changes: dict[str, list[Any]]) -> None:
    (draft,) = [draft for draft in judged.drafts if draft.report.code in ("position", "loans")]
    assert draft.rows is not None
    sound_values = (POSITION_VALUES if draft.report.code == "position" else LOAN_VALUES) | changes
    assert {name: draft.rows.columns[name] for name in sound_values} == sound_values


MEASURED = """
import json, sys, time
from pathlib import Path
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.ruleset import ruleset_of
from five_precisions.intake.rules.library import great_expectations_library
from five_precisions.register import load_register
from five_precisions.settings import Settings
from five_precisions.period import Period
from tests.memory import peak_megabytes
great_expectations_library()
settings = Settings()
register = load_register(settings.register_folder)
ruleset = ruleset_of(settings, register, Period(2019, 6))
for folder in sys.argv[1:]:
    files = [DeliveredFile(file.name, file.read_bytes()) for file in sorted(Path(folder).iterdir())]
    begun = time.monotonic()
    judged = judge_package(files, register.institution("B01"), ruleset)
    print(json.dumps({
        "name": Path(folder).name,
        "seconds": time.monotonic() - begun,
        "megabytes": peak_megabytes(),
        "findings": [[finding.rule, finding.cell, finding.message] for finding in judged.findings],
        "verdicts": {report.report: report.verdict for report in judged.reports},
    }), flush=True)
"""


@pytest.mark.integration
def test_large_packages_take_neither_half_a_minute_nor_a_gigabyte(tmp_path: Path) -> None:
    for name, make in LARGE.items():
        (tmp_path / name).mkdir()
        for file, content in make().items():
            (tmp_path / name / file).write_bytes(content)
    folders = [str(tmp_path / name) for name in LARGE]
    result = subprocess.run([sys.executable, "-c", MEASURED, *folders], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["name"] for line in lines] == list(LARGE)
    for line in lines:
        expected = LARGE_FINDINGS[line["name"]]
        assert [rule for rule, _, _ in line["findings"]] == [rule for rule, _, _ in expected], line
        assert all(words in message for (_, _, message), (_, _, words) in zip(line["findings"], expected, strict=True))
        assert line["verdicts"] == {"position": "rejected" if expected else "accepted", "grid": "accepted"}
        assert line["seconds"] < SECONDS, line
        assert line["megabytes"] < MEGABYTES, line


def test_limits_are_settings(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FILE_MB", 1), ("UNPACKED_MB", 2), ("ROWS", 1), ("COLUMNS", 4), ("CELLS", 5)):
        monkeypatch.setenv(f"FIVE_PRECISIONS_MAX_{name}", str(value))
    ruleset = ruleset_of(Settings.load(), register, JUNE)
    assert ruleset.limits == Limits(1 << 20, 2 << 20, rows=1, columns=4, cells=5)
    found = judged_as_bank(sound_package("position"), ruleset).findings
    assert [finding.rule for finding in found] == ["F01", "F01"]
    assert all("超过4列" in finding.message for finding in found)


# Folders and periods: through the inbox


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def test_the_others_are_taken_in_whatever_one_sends(
    engine: Engine, settings: Settings, inbox: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("secret", encoding="utf-8")
    put(inbox / "B01", delivered(SMALL["truncated-xlsx"]()))
    put(inbox / "B02", sound_package("grid"))
    (inbox / "B02" / "loans.xlsx").mkdir()
    (inbox / "B02" / "position.csv").symlink_to(outside)
    put(inbox / "B03", delivered(SMALL["bomb-of-two-cells-far-apart"]()))
    put(inbox / "X99", sound_package("grid"))
    put(inbox / "..B04", sound_package("grid"))
    put(inbox.parent / "2019-13" / "B04", sound_package("grid"))
    put(inbox.parent / "2031-01" / "B04", sound_package("grid"))
    with caplog.at_level(logging.WARNING):
        judgements = collect(engine, settings, JUNE, replay=True)
    assert {each.institution_code: each.verdict for each in judgements} == {
        "B01": Verdict.PARTIAL,
        "B02": Verdict.ACCEPTED,
        "B03": Verdict.PARTIAL,
    }
    told = " ".join(record.getMessage() for record in caplog.records)
    assert "'X99'" in told
    assert "'..B04'" in told
    assert count(engine, "core.grid") == 3
    assert count(engine, "intake.submission") == 3
    assert (inbox / "X99" / "grid.csv").exists()


def test_path_tricks_in_file_names_stay_names(engine: Engine, settings: Settings, inbox: Path, tmp_path: Path) -> None:
    names = [
        "x\\..\\..\\windows.csv",
        "%2e%2e%2fetc.csv",
        "~root.csv",
        "$(touch hostile).csv",
        "a\nb.csv",
        "=cmd().csv",
        "<b>x.csv",
        "甲" * 80 + ".csv",
    ]
    files = [DeliveredFile(name, b"x,y\r\n1,2\r\n") for name in names]
    put(inbox / "B01", [*sound_package("grid"), *files])
    (judgement,) = collect(engine, settings, JUNE, institution="B01", replay=True)
    assert judgement.verdict is Verdict.ACCEPTED
    assert sorted(finding.rule for finding in judgement.findings) == ["F07"] * len(names)
    assert {finding.file for finding in judgement.findings} == set(names)
    written = [path for path in tmp_path.rglob("*") if "hostile" in path.name or "windows" in path.name]
    assert all(inbox in path.parents for path in written)


def test_name_that_is_no_utf_8(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", sound_package("grid"))
    (inbox / "B01" / "\udcff\udcfe.csv").write_bytes(b"x\r\n")
    put(inbox / "B02", sound_package("grid"))
    verdicts = {each.institution_code: each.verdict for each in collect(engine, settings, JUNE, replay=True)}
    assert verdicts["B02"] is Verdict.ACCEPTED
    assert verdicts["B01"] in (Verdict.ACCEPTED, Verdict.PARTIAL)


def test_empty_file_beside_a_sound_package_loses_nothing(engine: Engine, settings: Settings, inbox: Path) -> None:
    put(inbox / "B01", [*package(grid=[sound("grid")]), DeliveredFile("position.csv", b"")])
    (judgement,) = collect(engine, settings, JUNE, institution="B01", replay=True)
    assert judgement.verdict is Verdict.PARTIAL
    assert [finding.rule for finding in judgement.findings] == ["F01"]
