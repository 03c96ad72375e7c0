"""Every rule of docs/reports.md that one file decides: a failing case and a boundary case that passes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from five_precisions.errors import SetupError
from five_precisions.intake.findings import Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.reading.typed import TypedRows
from five_precisions.intake.rules.suites import SUITE_FOLDER, load_suite
from five_precisions.intake.rules.validation import suite_findings
from five_precisions.intake.ruleset import Ruleset
from five_precisions.period import Period
from five_precisions.register import Institution, InstitutionKind, Register
from five_precisions.reports import load_reports
from five_precisions.reports.level import Level
from tests.packages import (
    CREDIT_CODE,
    OTHER_RESIDENT_ID,
    RESIDENT_ID,
    Cells,
    declared,
    package,
    sound,
    sound_package,
)

pytestmark = pytest.mark.slow

C, W = Level.CRITICAL, Level.WARNING


@dataclass(frozen=True)
class Case:
    """Rows of one report, and the rules that they break: (rule, level, column) once for each row found."""

    name: str
    report: str
    rows: Sequence[Cells]
    broken: Sequence[tuple[str, Level, str]] = ()


def one(name: str, report: str, *broken: tuple[str, Level, str], **changes: str) -> Case:
    """One row, sound but for the changes."""
    return Case(name, report, [sound(report, **changes)], broken)


FIRM = {
    "borrower_kind": "企业",
    "category": "产业",
    "microcredit": "否",
    "household_no": "",
    "borrower_id": CREDIT_CODE,
}

CASES = [
    *(Case(f"{report} sound", report, [sound(report)]) for report in load_reports()),
    # T01 to T05
    one("T01 required cell empty", "loans", ("T01", C, "contract_no"), contract_no=" "),
    one("T01 farmer without household", "loans", ("T01", C, "household_no"), household_no=""),
    one("T01 firm without household passes", "loans", **FIRM),
    one("T02 amount with unit", "loans", ("T02", C, "principal"), principal="5万元"),
    one("T02 error value", "loans", ("T02", C, "balance"), balance="#REF!"),
    one("T02 scientific notation", "loans", ("T02", C, "borrower_id"), borrower_id="4.41702E+17"),
    one("T02 full-width digits pass", "loans", principal="５００００", balance="50,000.00"),
    one("T03 one character too many", "visits", ("T03", C, "household_no"), household_no="H" * 31),
    one("T03 longest text passes", "visits", household_no="H" * 30),
    one("T04 not in the list", "loans", ("T04", C, "purpose"), purpose="炒股"),
    one("T04 neither yes nor no", "visits", ("T04", C, "filed"), filed="Y"),
    one("T05 negative amount", "position", ("T05", C, "relending"), relending="-0.01"),
    one("T05 above the highest", "visits", ("T05", C, "conduct"), conduct="6"),
    # K01
    Case("K01 all rows named", "loans", [sound("loans")] * 3, [("K01", C, "contract_no")] * 3),
    Case("K01 empty equals empty", "grid", [sound("grid"), sound("grid")], [("K01", C, "outlet_code")] * 2),
    Case("K01 village tells them apart", "grid", [sound("grid"), sound("grid", village="一村")]),
    Case(
        "K01 not for a row without key",
        "matches",
        [sound("matches", project_no=""), sound("matches", project_no="")],
        [("T01", C, "project_no")] * 2,
    ),
    # loans
    one("L01 seventeen characters", "loans", ("L01", C, "borrower_id"), borrower_id=RESIDENT_ID[:17]),
    one("L01 check digit", "loans", ("L01", C, "borrower_id"), borrower_id=RESIDENT_ID[:17] + "8"),
    one("L01 no such day", "loans", ("L01", C, "borrower_id"), borrower_id="441702198002300016"),
    one("L01 leap day", "loans", borrower_id="441702200002290014"),
    one("L01 no leap day", "loans", ("L01", C, "borrower_id"), borrower_id="441702190002290018"),
    one("L01 born on the last day passes", "loans", borrower_id="441702201906300013"),
    one("L01 born the day after", "loans", ("L01", C, "borrower_id"), borrower_id="441702201907010018"),
    one("L01 fifteen digits", "loans", ("L01", C, "borrower_id"), borrower_id="441702800101001"),
    one("L01 small x passes", "loans", borrower_id=OTHER_RESIDENT_ID.lower()),
    one("L01 abolished area passes", "loans", borrower_id="442801196001010018"),
    one("L02 checksum", "loans", ("L02", W, "borrower_id"), **{**FIRM, "borrower_id": CREDIT_CODE[:17] + "4"}),
    one("L03 a cent more", "loans", ("L03", C, "balance"), balance="50000.01"),
    one("L04 same day", "loans", ("L04", C, "matures_on"), matures_on="2019-03-15"),
    one("L04 next day passes", "loans", matures_on="2019-03-16", annual_rate="4.35"),
    one("L05 day before 2016", "loans", ("L05", C, "issued_on"), issued_on="2015-12-31", matures_on="2017-01-01"),
    one("L05 first day passes", "loans", issued_on="2016-01-01", matures_on="2017-01-02"),
    one("L05 day after the period", "loans", ("L05", C, "issued_on"), issued_on="2019-07-01"),
    one("L05 last day passes", "loans", issued_on="2019-06-30"),
    one("L06 unknown town", "loans", ("L06", C, "town_code"), town_code="441799100"),
    one("L06 a county is no town", "grid", ("L06", C, "town_code"), town_code="441702"),
    one("L07 industry loan to a farmer", "loans", ("L07", C, "category"), category="产业", microcredit="否"),
    one("L07 personal loan to a firm", "loans", ("L07", C, "category"), **{**FIRM, "category": "个人消费"}),
    one("L08 education", "loans", ("L08", C, "category"), category="个人教育"),
    one("L08 firm", "loans", ("L08", C, "borrower_kind"), ("L08", C, "category"), **{**FIRM, "microcredit": "是"}),
    one("L08 other loans pass", "loans", category="个人教育", microcredit="否"),
    one("L09 project of a personal loan", "loans", ("L09", C, "project_no"), project_no="XM-1"),
    one("L09 industry passes", "loans", **FIRM, project_no="XM-1"),
    one("L10 a cent over", "loans", ("L10", W, "principal"), principal="50000.01"),
    one("L10 other loans pass", "loans", principal="90000", microcredit="否"),
    one("L11 36 months and a day", "loans", ("L11", W, "matures_on"), matures_on="2022-03-16"),
    one("L11 leap day to the last of February passes", "loans", issued_on="2016-02-29", matures_on="2019-02-28"),
    one("L11 a day later", "loans", ("L11", W, "matures_on"), issued_on="2016-02-29", matures_on="2019-03-01"),
    one("L12 above the rate", "loans", ("L12", W, "annual_rate"), annual_rate="4.7501"),
    one("L12 one year", "loans", ("L12", W, "annual_rate"), matures_on="2020-03-15", annual_rate="4.36"),
    one("L12 one year passes", "loans", matures_on="2020-03-15", annual_rate="4.35"),
    one("L13 consumption", "loans", ("L13", W, "purpose"), purpose="消费"),
    one("L14 mortgage", "loans", ("L14", W, "security"), security="抵押"),
    one("L14 county fund passes", "loans", security="政府风险补偿"),
    one("L15 91 days", "loans", ("L15", W, "overdue_days"), overdue_days="91"),
    one("L15 90 days pass", "loans", overdue_days="90"),
    one("L15 settled and overdue", "loans", ("L15", W, "overdue_days"), balance="0", overdue_days="1"),
    one("L16 a fraction for percent", "loans", ("L16", W, "annual_rate"), annual_rate="0.0475"),
    one("L16 half a percent passes", "loans", annual_rate="0.5"),
    one("L16 nothing passes", "loans", annual_rate="0"),
    Case(
        "L16 two of three, found once",
        "loans",
        [sound("loans", contract_no=f"HT-{n}", annual_rate=rate) for n, rate in enumerate(("4.75", "0.04", "0.49"))],
        [("L16", W, "annual_rate")],
    ),
    Case(
        "L16 half of them passes",
        "loans",
        [sound("loans", contract_no=f"HT-{n}", annual_rate=rate) for n, rate in enumerate(("4.75", "0.04"))],
        [],
    ),
    # position
    one("P01 unknown county", "position", ("P01", C, "county_code"), county_code="441799"),
    one("P03 a hundred yuan more", "position", ("P03", C, "microcredit_year_begin"), microcredit_year_begin="900.01"),
    # visits
    one("V01 day before", "visits", ("V01", C, "visited_on"), visited_on="2019-05-31"),
    one("V01 day after", "visits", ("V01", C, "visited_on"), visited_on="2019/7/1"),
    one("V01 last day passes", "visits", visited_on="2019年6月30日"),
    Case(
        "V02 31 in a day, found once",
        "visits",
        [sound("visits", household_no=f"H-{n}") for n in range(31)],
        [("V02", W, "officer")],
    ),
    Case("V02 30 in a day pass", "visits", [sound("visits", household_no=f"H-{n}") for n in range(30)]),
    one("V03 no amount", "visits", ("V03", W, "wanted_amount"), wanted_amount=""),
    one("V03 wants none", "visits", wants_loan="否", wanted_amount=""),
    one("V03 not for a faulty amount", "visits", ("T02", C, "wanted_amount"), wanted_amount="若干"),
    # outreach
    one("O01 day after", "outreach", ("O01", C, "held_on"), held_on="20190701"),
    one("O02 one cadre more", "outreach", ("O02", C, "cadres"), cadres="21"),
    # grid
    one("G01 no hotline", "grid", ("G01", W, "hotline"), hotline=""),
    one("G01 too short", "grid", ("G01", W, "hotline"), hotline="0662-12"),
    one("G01 words", "grid", ("G01", W, "hotline"), hotline="见营业厅公示"),
    *(one(f"G01 {each} passes", "grid", hotline=each) for each in ("12363", "95588", "400-800-1234", "13800001111")),
    *(
        one(f"G01 {each} passes", "grid", hotline=each)
        for each in ("0662-1234567", "（010）12345678", "０６６２－３２１１２３４")
    ),
    one("G01 no area code", "grid", ("G01", W, "hotline"), hotline="3211234"),
    one("G01 an area code before a short number", "grid", ("G01", W, "hotline"), hotline="0662-12363"),
    one("G02 unsigned", "grid", ("G02", W, "letter_signed_on"), letter_signed_on=""),
    # matches
    one("M01 no reason", "matches", ("M01", C, "reason"), status="不予支持"),
    one("M01 with reason", "matches", status="不予支持", reason="不符合条件"),
    # households
    one("H01 one worker more", "households", ("H01", C, "workers"), workers="5"),
    one("H02 birth after the period", "households", ("H02", C, "head_id"), head_id="441702201907010018"),
    Case(
        "H03 one head, two households",
        "households",
        [
            sound("households", head_id=OTHER_RESIDENT_ID),
            sound("households", household_no="H-2", head_id=OTHER_RESIDENT_ID.lower()),
        ],
        [("H03", W, "head_id")] * 2,
    ),
    Case(
        "H03 not for one household twice",
        "households",
        [sound("households")] * 2,
        [("K01", C, "household_no")] * 2,
    ),
    # R01
    one("R01 unknown bank", "households", ("R01", C, "bank_code"), bank_code="B99"),
    one("R01 an office is no bank", "guarantee_funds", ("R01", C, "bank_code"), bank_code="C01"),
    one("R01 pushed to nobody known", "projects", ("R01", C, "pushed_to"), pushed_to="B00"),
    one("R01 inspected", "inspections", ("R01", C, "institution_code"), institution_code="C09"),
    one("L02 operator", "projects", ("L02", W, "operator_id"), operator_id="91350100M000100Y44"),
]


def owner_of(report: str, register: Register) -> Institution:
    kind = InstitutionKind(declared(report).owners[0])
    return next(each for each in register.institutions if each.kind is kind)


def judge_rows(report: str, rows: Sequence[Cells], ruleset: Ruleset) -> JudgedPackage:
    return judge_package(package(**{report: rows}), owner_of(report, ruleset.register), ruleset)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rule(case: Case, ruleset: Ruleset) -> None:
    judged = judge_rows(case.report, case.rows, ruleset)
    report = declared(case.report)
    expected = sorted((rule, level, report.column(column).header) for rule, level, column in case.broken)
    assert sorted((each.rule, each.level, each.header or "") for each in judged.findings) == expected
    rejected = any(level is C for _, level, _ in case.broken)
    assert judged.reports[0].verdict is (Verdict.REJECTED if rejected else Verdict.ACCEPTED)
    assert judged.reports[0].rows == len(case.rows)


def test_every_rule_of_the_suites_has_a_failing_case() -> None:
    tested = {(case.report, rule) for case in CASES for rule, _, _ in case.broken}
    declared_rules = {
        (report.code, rule.rule) for report in load_reports().values() for rule in load_suite(report).rules
    }
    assert len(declared_rules) > 30
    # Uniqueness and town codes are the same expectation in every suite.
    assert {(report, rule) for report, rule in declared_rules if rule not in ("K01", "L06")} <= tested


def test_finding_says_where_and_what(ruleset: Ruleset) -> None:
    rows = [sound("loans"), sound("loans", contract_no="HT-002", balance="50000.01")]
    (finding,) = judge_rows("loans", rows, ruleset).findings
    assert (finding.file, finding.sheet, finding.row_number, finding.cell) == ("loans.csv", None, 3, "L3")
    assert (finding.key, finding.value, finding.expected) == ("HT-002", "50000.01", "不大于发放金额")
    assert finding.message == "贷款余额大于发放金额，请核对两项金额。"


def test_message_is_filled_with_what_was_computed(ruleset: Ruleset) -> None:
    (finding,) = judge_rows("loans", [sound("loans", matures_on="2022-05-15")], ruleset).findings
    assert "38个月" in finding.message


def test_sensitive_values_are_masked_in_findings(ruleset: Ruleset) -> None:
    wrong_id = RESIDENT_ID[:17] + "8"
    rows = [sound("loans", borrower_id=wrong_id, project_no=RESIDENT_ID, purpose=RESIDENT_ID)]
    findings = judge_rows("loans", rows, ruleset).findings
    assert {finding.rule for finding in findings} == {"L01", "L09", "T04"}
    assert wrong_id not in repr(findings)
    assert RESIDENT_ID not in repr(findings)
    assert {finding.value for finding in findings} == {"4417**********0018", "4417**********0017"}


def test_threads_of_one_process_do_not_see_one_anothers_rows(ruleset: Ruleset) -> None:
    def count_faults(faulty: int) -> int:
        rows = [sound("loans", contract_no=f"HT-{number}", balance="50000.01") for number in range(faulty)]
        return len(judge_rows("loans", rows, ruleset).findings)

    expected = [1 + number % 8 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count_faults, expected)) == expected


def test_a_rule_is_added_by_editing_the_suite_only(tmp_path: Path, ruleset: Ruleset, register: Register) -> None:
    suite = json.loads((SUITE_FOLDER / "loans.json").read_text(encoding="utf-8"))
    suite["expectations"].append(
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "issued_on", "min_value": "2019-04-01"},
            "severity": "info",
            "meta": {"rule": "L99", "column": "issued_on", "message": "发放日期{issued_on}较早。"},
        }
    )
    (tmp_path / "loans.json").write_text(json.dumps(suite), encoding="utf-8")
    judged = judge_package(sound_package("loans"), owner_of("loans", register), ruleset)
    rows = judged.drafts[0].rows
    assert isinstance(rows, TypedRows)
    own = load_suite(declared("loans"), tmp_path)
    (finding,), validated = suite_findings(rows, own, ruleset.parameters, ruleset.context)
    assert validated == (len(own.rules) - 1,)
    assert (finding.rule, finding.level, finding.message) == ("L99", Level.NOTICE, "发放日期2019-03-15较早。")


def test_a_rule_of_a_suite_counts_from_its_month(tmp_path: Path) -> None:
    suite = json.loads((SUITE_FOLDER / "loans.json").read_text(encoding="utf-8"))
    suite["expectations"][1]["meta"]["since"] = "2019-07"
    (tmp_path / "loans.json").write_text(json.dumps(suite), encoding="utf-8")
    own = load_suite(declared("loans"), tmp_path)
    before, after = own.of(Period(2019, 6)), own.of(Period(2019, 7))
    assert after is own
    assert before.rules == (own.rules[0], *own.rules[2:])
    assert [each["meta"]["ordinal"] for each in before.expectations] == list(range(len(before.rules)))
    assert before is own.of(Period(2019, 1))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param('"expectations": [', '"expectations": ', "is no JSON of a suite: ", id="no JSON"),
        pytest.param('"max_value": 50000', '"max_value": NaN', "is no JSON of a suite: NaN is no number.", id="NaN"),
        pytest.param('"max_value": 50000', '"max_value": -Infinity', "-Infinity is no number.", id="infinite"),
        pytest.param('"max_value": 50000', '"max_value": 1e400', "1e400 is no number.", id="beyond all numbers"),
        pytest.param(
            '"max_value": 50000',
            '"max_value": 5, "max_value": 50000',
            "is no JSON of a suite: max_value stands twice in one place.",
            id="name twice",
        ),
        pytest.param('"expectations"', '"expectation"', "is no suite with expectations: ", id="no expectations"),
        pytest.param(
            '"rule": "K01"', '"rules": "K01"', "is wrong at expectations.0: there is no 'rule'.", id="no rule"
        ),
        pytest.param(
            '"severity": "critical"',
            '"severity": "grave"',
            "is wrong at expectations.0: severity is one of critical, warning, info.",
            id="severity",
        ),
        pytest.param(
            "expect_column_values_to_be_unique",
            "expect_column_values_to_be_singular",
            "is wrong at expectations.0: Great Expectations has no expect_column_values_to_be_singular.",
            id="unknown expectation",
        ),
        pytest.param(
            '"column": "key"', '"column": "keys"', "is wrong at expectations.0: no such column: keys.", id="column seen"
        ),
        pytest.param(
            '"column": "contract_no"',
            '"column": "contract"',
            "is wrong at expectations.0: no such column: contract.",
            id="column marked",
        ),
        pytest.param(
            '"name": "microcredit"', '"name": "micro"', ": no such column: micro.", id="column of a condition"
        ),
        pytest.param(
            '"function": "term_months"', '"function": "months"', "names an unknown function or column.", id="function"
        ),
        pytest.param(
            '"type": "expect_column_values_to_be_unique",\n      "kwargs": {',
            '"type": "expect_column_values_to_match_regex",\n      "kwargs": {\n        "regex": "(",',
            "is wrong at expectations.0: '(' is no regular expression: ",
            id="regular expression",
        ),
        pytest.param('"rule": "K01"', '"rule": "K01", "since": "July"', "'July' is not a period", id="no month"),
        pytest.param('"rule": "K01"', '"rule": "K01", "since": 2019', "since is a month, YYYY-MM", id="a year"),
    ],
)
def test_a_suite_that_makes_no_sense_is_refused(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    given = (SUITE_FOLDER / "loans.json").read_text(encoding="utf-8")
    assert before in given
    (tmp_path / "loans.json").write_text(given.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_suite(declared("loans"), tmp_path)
    said = str(refused.value)
    assert said.startswith(str(tmp_path / "loans.json"))
    assert sentence in said
    assert "\n" not in said
