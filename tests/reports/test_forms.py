"""Forms by date: what of a report holds in which month, and every mistake of that (docs/reports.md#forms-by-date)."""

from __future__ import annotations

from pathlib import Path

import pytest

from five_precisions.errors import SetupError
from five_precisions.own_files import VARIABLE
from five_precisions.period import Period
from five_precisions.reports import Report, load_forms, load_reports
from five_precisions.reports.columns_read import lacks_columns
from five_precisions.reports.cross_rules import cross_rules_of, load_cross_rules
from five_precisions.settings import INCLUDE

DECEMBER, JANUARY = Period(2019, 12), Period(2020, 1)
DATED = """\
loans:
  title: 台账
  owners: [bank]
  kind: stock
  key: [row_no]
  control: amount
  columns:
    - {header: 编号, name: row_no, type: text, max: 9, code: true}
    - headers:
        - {header: 利率, until: 2019-12}
        - {header: 执行利率, from: 2020-01}
      name: rate
      type: pct
    - {header: 金额, name: amount, type: yuan}
    - {header: 担保, name: security, type: text, max: 9, until: 2019-12}
    - {header: 投保, name: insured, type: yesno, optional: true, from: 2020-01}
    - header: 类型
      name: kind
      type: choice
      of:
        - 农户
        - {value: 企业, until: 2019-12}
        - {value: 个体户, from: 2020-01}
  scope: 全部
training:
  title: 培训
  from: 2020-01
  until: 2020-12
  owners: [bank]
  kind: flow
  key: [row_no]
  columns:
    - {header: 编号, name: row_no, type: text, max: 9}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A declaration whose forms change at the end of 2019."""
    path = tmp_path / "reports.yaml"
    path.write_text(DATED, encoding="utf-8")
    return path


def headers(report: Report) -> list[str]:
    return [column.header for column in report.columns]


def test_a_month_has_the_reports_columns_headers_and_values_that_hold_in_it(file: Path) -> None:
    before, after = load_forms(DECEMBER, file), load_forms(JANUARY, file)

    assert list(before) == ["loans"]
    assert headers(before["loans"]) == ["编号", "利率", "金额", "担保", "类型"]
    assert before["loans"].column("kind").of == ("农户", "企业")
    assert list(after) == ["loans", "training"]
    assert headers(after["loans"]) == ["编号", "执行利率", "金额", "投保", "类型"]
    assert after["loans"].column("kind").of == ("农户", "个体户")
    assert after["loans"].column("kind").expected == "农户、个体户"
    assert "training" in load_forms(Period(2020, 12), file)
    assert "training" not in load_forms(Period(2021, 1), file)


def test_what_was_ever_declared_has_every_column_under_its_newest_header(file: Path) -> None:
    loans = load_reports(file)["loans"]
    assert headers(loans) == ["编号", "执行利率", "金额", "担保", "投保", "类型"]
    assert loans.column("rate").all_headers == ("利率", "执行利率")
    assert loans.column("row_no").all_headers == ("编号",)
    assert loans.column("kind").of == ("农户", "企业", "个体户")
    assert [str(month) for month in loans.first_months] == ["2000-01", "2020-01"]
    assert [loans.has_always(column) for column in loans.columns] == [True, True, True, False, False, True]


def test_a_form_in_which_nothing_changes_is_the_report_itself(file: Path) -> None:
    training = load_reports(file)["training"]
    assert load_forms(JANUARY, file)["training"] is training
    assert load_forms(JANUARY, file) is load_forms(JANUARY, file)
    assert all(form is load_reports()[code] for code, form in load_forms(DECEMBER).items())


def test_outside_its_life_a_report_has_its_first_or_last_form(tmp_path: Path) -> None:
    """Rows of a month that it was delivered for by mistake are still shown."""
    path = tmp_path / "reports.yaml"
    path.write_text(
        "loans: {title: 甲, owners: [bank], kind: stock, key: [a], from: 2019-02, until: 2020-06, columns: "
        "[{headers: [{header: 甲, until: 2019-12}, {header: 乙, from: 2020-01}], name: a, type: int}]}",
        encoding="utf-8",
    )
    loans = load_reports(path)["loans"]
    asked = (Period(2018, 1), DECEMBER, JANUARY, Period(2021, 1))
    assert [headers(loans.in_period(month)) for month in asked] == [["甲"], ["甲"], ["乙"], ["乙"]]
    assert not load_forms(Period(2018, 1), path)


def test_a_header_may_be_another_columns_in_other_months(tmp_path: Path) -> None:
    """So a column changes its type: one ends, another one begins under the same header."""
    path = tmp_path / "reports.yaml"
    column = "{header: 担保, name: security, type: text, max: 9, until: 2019-12}"
    assert column in DATED
    path.write_text(
        DATED.replace(column, f"{column}\n    - {{header: 担保, name: secured, type: yesno, from: 2020-01}}"),
        encoding="utf-8",
    )
    assert load_forms(DECEMBER, path)["loans"].column("security").header == "担保"
    assert load_forms(JANUARY, path)["loans"].column("secured").header == "担保"


RATE_FROM = "{header: 执行利率, from: 2020-01}"
MISTAKES = {
    "a report ends before it begins": (
        "until: 2020-12",
        "until: 2019-06",
        "training, line 25: it ends in 2019-06, before it begins in 2020-01.",
    ),
    "a column ends before it begins": (
        "optional: true, from: 2020-01",
        "optional: true, from: 2020-01, until: 2019-12",
        "loans.columns.4, line 16: it ends in 2019-12, before it begins in 2020-01.",
    ),
    "a value ends before it begins": (
        "{value: 个体户, from: 2020-01}",
        "{value: 个体户, from: 2020-01, until: 2019-01}",
        "loans.columns.5.of.2, line 23: it ends in 2019-01, before it begins in 2020-01.",
    ),
    "no month": (
        RATE_FROM,
        "{header: 执行利率, from: 2020}",
        (
            "loans.columns.1.headers.1.from, line 11: '2020' is not a period; write a month as YYYY-MM, of the years "
            "2000 to 2999, for example 2019-06."
        ),
    ),
    "a gap between headers": (
        RATE_FROM,
        "{header: 执行利率, from: 2020-03}",
        "loans.columns.1, line 9: column rate: its header 执行利率 begins in the month after 利率 ends, from 2020-01.",
    ),
    "two headers at a time": (
        RATE_FROM,
        "{header: 执行利率, from: 2019-12}",
        "loans.columns.1, line 9: column rate: its header 执行利率 begins in the month after 利率 ends, from 2020-01.",
    ),
    "a header that begins at no time": (
        RATE_FROM,
        "{header: 执行利率}",
        "loans.columns.1, line 9: column rate: its header 执行利率 begins in the month after 利率 ends, from 2020-01.",
    ),
    "a header that does not end": (
        "{header: 利率, until: 2019-12}",
        "{header: 利率}",
        "loans.columns.1, line 9: column rate: until says how long its header is 利率.",
    ),
    "no header at first": (
        "{header: 利率, until",
        "{header: 利率, from: 2019-01, until",
        "loans.columns.1, line 9: column rate: it has no header before 2019-01.",
    ),
    "no header at last": (
        RATE_FROM,
        "{header: 执行利率, from: 2020-01, until: 2020-12}",
        "loans.columns.1, line 9: column rate: it has no header after 2020-12.",
    ),
    "one header and several": (
        "name: rate",
        "name: rate\n      header: 利率",
        "loans.columns.1, line 9: a column has either one header, or headers with their months.",
    ),
    "neither": (
        "{header: 金额, name",
        "{name",
        "loans.columns.2.header, line 14: Field required.",
    ),
    "headers that are none": (
        "- {header: 利率, until: 2019-12}",
        "- 利率",
        "loans.columns.1.headers.0, line 10: Input should be a valid dictionary or instance of DatedHeader.",
    ),
    "a key that ends": (
        "max: 9, code: true}",
        "max: 9, code: true, until: 2020-12}",
        "loans.columns.0, line 8: row_no is of the key, so it is there as long as its report.",
    ),
    "a control column that comes later": (
        "name: amount, type: yuan}",
        "name: amount, type: yuan, from: 2019-01}",
        "loans.columns.2, line 14: amount is the control column, so it is there as long as its report.",
    ),
    "a column before its report": (
        "{header: 编号, name: row_no, type: text, max: 9}",
        "{header: 编号, name: row_no, type: text, max: 9, from: 2019-12}",
        "training.columns.0, line 33: the report begins in 2020-01, after its column row_no.",
    ),
    "a column after its report": (
        "{header: 编号, name: row_no, type: text, max: 9}",
        "{header: 编号, name: row_no, type: text, max: 9, until: 2021-01}",
        "training.columns.0, line 33: the report ends in 2020-12, before its column row_no.",
    ),
    "a header twice from a month on": (
        "header: 投保",
        "header: 执行利率",
        "loans.columns.4, line 16: the header 执行利率 stands twice from 2020-01 on.",
    ),
    "a header twice until a month": (
        "header: 担保",
        "header: 利率",
        "loans.columns.3, line 15: the header 利率 stands twice.",
    ),
    "a choice without a value": (
        "        - 农户\n        - {value: 企业, until: 2019-12}\n",
        "",
        "loans.columns.5, line 17: the choice kind has no value.",
    ),
    "a choice without a value from a month on": (
        "        - 农户\n        - {value: 企业, until: 2019-12}\n        - {value: 个体户, from: 2020-01}\n",
        "        - {value: 企业, until: 2020-06}\n",
        "loans.columns.5, line 17: the choice kind has no value from 2020-07 on.",
    ),
    "a value twice": (
        "{value: 个体户,",
        "{value: 农户,",
        "loans.columns.5, line 17: column kind: a value is listed twice.",
    ),
    "an unknown name": (
        "{value: 个体户, from: 2020-01}",
        "{value: 个体户, since: 2020-01}",
        "loans.columns.5.of.2, line 23: since is unknown; there are from, until, value.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, mistake: str) -> None:
    before, after, sentence = MISTAKES[mistake]
    assert DATED.count(before) == 1
    path = tmp_path / "reports.yaml"
    path.write_text(DATED.replace(before, after), encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_reports(path)
    assert str(refused.value) == f"{path} is wrong at {sentence}"
    assert refused.value.exit_code == 2


ACCOUNT = "optional: true, sensitive: account}"
LEAGUE = "  title: 省内地市扶贫小额信贷情况\n"


def declare(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    """An installation's own declaration: ours with one change."""
    content = (INCLUDE / "reference" / "reports.yaml").read_text(encoding="utf-8")
    assert content.count(before) == 1
    (folder / "reports.yaml").write_text(content.replace(before, after), encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(folder))


def test_a_statement_reads_what_stands_behind_a_reports_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`payee_account` and its hash end with December, `insured` begins in January."""
    insured = "    - {header: 是否投保, name: insured, type: yesno, optional: true, from: 2020-01}"
    declare(tmp_path, monkeypatch, ACCOUNT, f"{ACCOUNT[:-1]}, until: 2019-12}}\n{insured}")
    reads = {
        "select loans.payee_account from loans": (False, True),
        "select loan.insured from core.loans as loan": (True, False),
        "select ledger.payee_account_hash from core.delivered_loans as ledger": (False, True),
        "select loans.insured_word, visits.insured from loans cross join visits": (False, False),
        "select loans.balance from loans": (False, False),
    }
    asked = {statement: tuple(lacks_columns(statement, month) for month in (DECEMBER, JANUARY)) for statement in reads}
    assert asked == reads


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        pytest.param(ACCOUNT, f"{ACCOUNT[:-1]}, until: 2019-12}}", "X08", id="marks and links by a column that ends"),
        pytest.param(LEAGUE, f"{LEAGUE}  until: 2019-12\n", "X10", id="of a report that ends"),
    ],
)
def test_a_rule_across_reports_is_not_asked_of_a_month_without_what_it_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, rule: str
) -> None:
    declare(tmp_path, monkeypatch, before, after)
    asked = {month: {each.rule for each in cross_rules_of(month)} for month in (DECEMBER, JANUARY)}
    assert asked[DECEMBER] == {each.rule for each in load_cross_rules()}
    assert asked[DECEMBER] - asked[JANUARY] == {rule}
