"""The golden city over a year's end at which forms change, through every stage (docs/reports.md#forms-by-date).

From January on two headers are others, one of them of the control column. A column comes and one goes; a choice has one
value more; county offices deliver a new report. The months are the golden May and June, dated seven months later.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import openpyxl
import pytest
from sqlalchemy import Engine

from five_precisions.collection import check, close, collect
from five_precisions.data_docs.months import build_data_docs, read_month
from five_precisions.errors import UsageError
from five_precisions.figures import Restatement, assess, explain, months_left_behind, restate
from five_precisions.forms import write_template
from five_precisions.forms.template import HEADER_ROW
from five_precisions.intake import Judgement, read_status
from five_precisions.intake.findings import Finding
from five_precisions.own_files import VARIABLE
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import load_register, save_register
from five_precisions.reports import load_forms
from five_precisions.settings import INCLUDE, Settings
from five_precisions.warehouse import migrate, open_warehouse, schema
from five_precisions.warehouse.draft_migration import draft_migration
from five_precisions_demo.city.deliveries import DeliveredVersion, deliver_all
from five_precisions_demo.city.model import found_city
from five_precisions_demo.city.packages import write_delivery
from five_precisions_demo.city.tables import Cell, FilledReport
from tests.conftest import SECRET, empty_database
from tests.figures.test_restatement import run_of
from tests.packages import sound
from tests.rows import rows

pytestmark = [pytest.mark.slow, pytest.mark.integration]

SEED: Final = 2019
DECEMBER, JANUARY = Period(2019, 12), Period(2020, 1)
DATED_LATER: Final = 7
"""Months, from the golden city's to the ones here."""
TAKE_OUT: Final = "请从报送包和报送说明中删除。"
WITHHELD: Final = "B03"
"""Whose package of December comes after January has been assessed."""
NEW_REPORT: Final = """
training:
  title: 就业培训台账
  from: 2020-01
  owners: [county_office]
  kind: flow
  key: [household_no]
  columns:
    - {header: 户编号, name: household_no, type: text, max: 30, code: true}
    - {header: 培训天数, name: days, type: int, min: 1, max: 365}
"""
NEW_METRIC: Final = """
insured_balance:
  name: 已投保贷款余额
  unit: '万元'
  formula: 是否投保为是的贷款余额合计
  sql: [facts/loans]
  value: {sum: balance, times: 0.0001, where: insured}
  scopes: [city, bank]
  additive: true
"""
SUITE: Final = """{
  "name": "training",
  "expectations": [
    {
      "type": "expect_column_values_to_be_unique",
      "kwargs": {"column": "key"},
      "severity": "critical",
      "meta": {"rule": "K01", "column": "household_no", "message": "户编号在本表中重复。", "expected": "唯一"}
    }
  ]
}
"""
CHANGES: Final = (
    (
        "{header: 年利率, name",
        "{headers: [{header: 年利率, until: 2019-12}, {header: 执行年利率, from: 2020-01}], name",
    ),
    (
        "{header: 贷款余额, name",
        "{headers: [{header: 贷款余额, until: 2019-12}, {header: 期末本金, from: 2020-01}], name",
    ),
    (
        "    - {header: 收款账户,",
        "    - {header: 是否投保, name: insured, type: yesno, optional: true, from: 2020-01}\n    - {header: 收款账户,",
    ),
    ("name: officer, type: text, max: 30}", "name: officer, type: text, max: 30, until: 2019-12}"),
    ("入户宣传, 媒体]", "入户宣传, 媒体, {value: 网络直播, from: 2020-01}]"),
)


def write_reference(folder: Path) -> Path:
    """An installation's own declarations of the new year."""
    content = (INCLUDE / "reference" / "reports.yaml").read_text(encoding="utf-8")
    for before, after in CHANGES:
        assert content.count(before) == 1, before
        content = content.replace(before, after)
    (folder / "expectations").mkdir(parents=True)
    (folder / "expectations" / "training.json").write_text(SUITE, encoding="utf-8")
    (folder / "reports.yaml").write_text(content + NEW_REPORT, encoding="utf-8")
    metrics = (INCLUDE / "reference" / "metrics.yaml").read_text(encoding="utf-8")
    (folder / "metrics.yaml").write_text(metrics + NEW_METRIC, encoding="utf-8")
    targets = "years: {2019: {households: 1200}, 2020: {households: 1200}}\n"
    (folder / "targets.yaml").write_text(targets, encoding="utf-8")
    return folder


def dated_later(cell: Cell) -> Cell:
    """The same day of the month, seven months later; the last of a month that has no such day."""
    if not isinstance(cell, date):
        return cell
    month = Period.of(cell).back(-DATED_LATER)
    return date(month.year, month.month, min(cell.day, month.end.day))


def later(delivery: DeliveredVersion) -> DeliveredVersion:
    """A golden delivery, dated seven months later."""
    period = delivery.period.back(-DATED_LATER)
    tables = tuple(
        replace(table, rows=tuple({name: dated_later(cell) for name, cell in row.items()} for row in table.rows))
        for table in delivery.tables
    )
    on = datetime.combine(period.end + timedelta(days=2 + (delivery.version or 0)), time(10), SHANGHAI)
    # A visit is named by its day.
    explanations = tuple(each for each in delivery.explanations if each.report != "visits")
    return replace(delivery, period=period, tables=tables, explanations=explanations, delivered_at=on)


def in_new_form(delivery: DeliveredVersion) -> DeliveredVersion:
    """What the new year's forms ask for beyond the old ones."""
    tables = [with_news(table) for table in delivery.tables]
    cover = list(delivery.cover)
    if delivery.institution.kind == "county_office" and any(table.report == "households" for table in tables):
        [households] = [table for table in tables if table.report == "households"]
        trained = tuple({"household_no": row["household_no"], "days": 5} for row in households.rows[:7])
        tables.append(FilledReport("training", trained))
        cover.append(replace(cover[0], report="training", rows=len(trained), total=None, is_nil=False))
    return replace(delivery, tables=tuple(tables), cover=tuple(cover))


def with_news(table: FilledReport) -> FilledReport:
    if table.report == "loans":
        return replace(
            table, rows=tuple({**row, "insured": "是" if i % 3 else "否"} for i, row in enumerate(table.rows))
        )
    if table.report == "outreach" and table.rows:
        first, *others = table.rows
        return replace(table, rows=({**first, "kind": "网络直播"}, *others))
    return table


@dataclass(frozen=True)
class YearEnd:
    """Two months in two forms, assessed; and what one bank should have delivered of the first."""

    engine: Engine
    settings: Settings
    inbox: Path
    withheld: Path
    migration: str

    def value_of(self, metric: str, period: Period, bank: str) -> Decimal | None:
        """A bank's figure of the month's run that stands; None where it has none."""
        found = self.rows(
            f"select value from mart.current_metric where metric = '{metric}' and period = '{period}' "
            f"and scope = 'bank' and scope_code = '{bank}'"
        )
        return found[0][0] if found else None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query of the warehouse finds."""
        return rows(self.engine, query)


@pytest.fixture(scope="module")
def year_end(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[YearEnd]:
    folder = tmp_path_factory.mktemp("year-end")
    versions = folder / "migrations" / "versions"
    shutil.copytree(schema.MIGRATIONS, versions.parent, ignore=shutil.ignore_patterns("__pycache__"))
    register = shutil.copytree(INCLUDE / "demo_register", folder / "register")
    with (register / "obligations.csv").open("a", encoding="utf-8") as file:
        file.write("county_office,training,1\n")
    with pytest.MonkeyPatch.context() as patch, empty_database(server_url) as address:
        patch.setattr(schema, "MIGRATIONS", versions.parent)
        patch.setenv(VARIABLE, str(write_reference(folder / "reference")))
        settings = Settings(
            _env_file=None,
            var=folder / "var",
            warehouse=address,
            reference=folder / "reference",
            pii_key=SECRET,
            archive_key=SECRET,
        ).model_copy(update={"register_folder": register})
        inbox = Path(settings.inbox_address)
        write_packages(inbox)
        withheld = shutil.move(inbox / str(DECEMBER) / WITHHELD, folder / "withheld")
        with open_warehouse(settings) as engine:
            migrate(engine, is_draft=True)
            migration = draft_migration(engine, "new_year", versions).read_text(encoding="utf-8")
            migrate(engine)
            with engine.begin() as connection:
                save_register(connection, load_register(register))
            for month in (DECEMBER, JANUARY):
                collect(engine, settings, month, replay=True, processes=2)
                close(engine, settings, month, replay=True)
                assess(engine, settings, month)
            yield YearEnd(engine, settings, inbox, Path(withheld), migration)


def write_packages(inbox: Path) -> None:
    """The golden May and June, dated seven months later, each in its form."""
    city = found_city(SEED)
    for golden in (Period(2019, 5), Period(2019, 6)):
        for delivery in map(later, deliver_all(city, golden)):
            asked = in_new_form(delivery) if delivery.period == JANUARY else delivery
            write_delivery(SEED, asked, inbox / str(delivery.period) / delivery.institution.code)


@pytest.fixture(autouse=True)
def _own_declarations(year_end: YearEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere in an installation, also where a test has an environment of its own."""
    monkeypatch.setenv(VARIABLE, str(year_end.settings.reference))


@dataclass(frozen=True)
class Late:
    """What came of December's last package, in the form of the year that is over."""

    judged: list[Judgement]
    before: dict[str, bytes]
    """January's run as it stood."""
    restated: Restatement


@pytest.fixture(scope="module")
def late(year_end: YearEnd) -> Late:
    """December's missing package comes after January is assessed, and December is restated with it."""
    assert year_end.value_of("loan_balance", DECEMBER, WITHHELD) is None
    before = run_of(year_end.engine, f"{JANUARY}-r1")
    shutil.copytree(year_end.withheld, year_end.inbox / str(DECEMBER) / WITHHELD)
    judged = collect(year_end.engine, year_end.settings, DECEMBER, institution=WITHHELD)
    restated = restate(year_end.engine, year_end.settings, DECEMBER, "南屿银行台账迟报", "王科长")
    return Late(judged, before, restated)


def headers_of(report: str, period: Period) -> list[str]:
    return [column.header for column in load_forms(period)[report].columns]


def check_file(
    year_end: YearEnd, folder: Path, report: str, form: Period, period: Period, **cells: str
) -> list[Finding]:
    """The self-check of one file for a month, in the form of a month."""
    row = {**sound_row(report), **cells}
    columns = load_forms(form)[report].columns
    content = [[column.header for column in columns], [row.get(column.name, "") for column in columns]]
    path = folder / f"{report}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(content)
    owner = "C01" if report == "training" else "B01"
    judged = check(year_end.settings, path, owner, period, workbook=folder / "findings.xlsx")
    return [finding for finding in judged.findings if finding.rule in ("F02", "F05", "F10", "T04")]


def sound_row(report: str) -> dict[str, str]:
    return {"household_no": "H-1", "days": "5"} if report == "training" else sound(report)


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.message) for finding in findings]


def test_each_month_is_taken_in_by_its_form(year_end: YearEnd) -> None:
    loans = (
        "select period, count(*) > 5000, count(annual_rate) = count(*), count(balance) = count(*), count(insured) > 0"
    )
    assert year_end.rows(f"{loans} from core.loans group by period order by period") == [
        ("2019-12", True, True, True, False),
        ("2020-01", True, True, True, True),
    ]
    visits = "select period, count(*) > 100, count(officer) = count(*), count(officer) = 0 from core.visits"
    assert year_end.rows(f"{visits} group by period order by period") == [
        ("2019-12", True, True, False),
        ("2020-01", True, False, True),
    ]
    assert year_end.rows("select distinct period from core.outreach where kind = '网络直播'") == [("2020-01",)]
    trained = "select period, delivered_by, count(*), sum(days) from core.training group by 1, 2 order by 1, 2"
    assert year_end.rows(trained) == [("2020-01", f"C0{number}", 7, 35) for number in range(1, 5)]


def test_what_is_not_accepted_is_what_the_golden_city_has_planted(year_end: YearEnd) -> None:
    """One header of December is misspelt, and B07 keeps remarks; no form is held against another month's."""
    found = year_end.rows(
        "select submission.period, finding.report, finding.rule, submission.institution_code from intake.finding "
        "inner join intake.submission using (submission_id) where finding.rule in ('F02', 'F03', 'F05', 'F10', 'T04') "
        "order by 1, 2, 3, 4"
    )
    assert found == [
        ("2019-12", "grid", "F02", "B01"),
        ("2019-12", "loans", "F05", "B07"),
        ("2020-01", "loans", "F05", "B07"),
    ]


def test_a_rule_is_not_asked_of_a_form_without_its_column(year_end: YearEnd) -> None:
    with year_end.engine.connect() as connection:
        asked = {
            str(month): {rule.rule for rule in read_month(connection, year_end.settings, month).suites["visits"].rules}
            for month in (DECEMBER, JANUARY)
        }
    assert asked["2019-12"] - asked["2020-01"] == {"V02"}
    assert asked["2020-01"] >= {"K01", "V01", "V03"}
    # Without an officer, all visits of a bank's day would be one officer's.
    assert year_end.rows("select period from mart.alert where rule = 'A12' and period = '2020-01'") == []
    assert len(year_end.rows("select distinct rule from mart.alert where period = '2020-01'")) > 5


def test_both_months_have_their_figures(year_end: YearEnd) -> None:
    for month in (DECEMBER, JANUARY):
        balance = year_end.value_of("loan_balance", month, "B01")
        assert balance is not None
        assert balance > 1000


def test_a_figure_of_the_new_column_and_its_proof_by_the_headers_of_each_month(year_end: YearEnd) -> None:
    insured = "select sum(balance) * 0.0001 from core.loans where insured and delivered_by = 'B01' and period = "
    [(expected,)] = year_end.rows(f"{insured} '{JANUARY}'")
    found = explain(
        year_end.engine, year_end.settings, "insured_balance", scope="bank", code="B01", period=JANUARY, first=3
    )
    assert found.value == expected > 0
    assert found.is_proved
    assert found.proof is not None
    for row in found.proof.first:
        assert row.content["是否投保"] == "是"
        assert row.content["期末本金"] == row.numerator * 10_000  # type: ignore[operator]
        assert {"贷款余额", "年利率"}.isdisjoint(row.content)
    before = explain(
        year_end.engine, year_end.settings, "loan_balance", scope="bank", code="B01", period=DECEMBER, first=1
    )
    assert before.is_proved
    assert before.proof is not None
    assert {"是否投保", "期末本金", "执行年利率"}.isdisjoint(before.proof.first[0].content)
    assert {"贷款余额", "年利率"} <= before.proof.first[0].content.keys()
    # Nobody was asked in December, so nothing was insured.
    assert year_end.value_of("insured_balance", DECEMBER, "B01") == 0


def test_the_new_report_is_owed_from_its_first_month_on(year_end: YearEnd) -> None:
    """Its line in obligations.csv names no month: the declaration does."""
    expected = "select period, value from mart.metric where metric = 'reports_expected' and scope_code = '441702'"
    assert dict(year_end.rows(f"{expected} and run_id like '%-r1'")) == {"2019-12": 4, "2020-01": 5}
    asked = {
        str(month): {each.institution_code for each in read_status(year_end.engine, month) if each.report == "training"}
        for month in (DECEMBER, JANUARY)
    }
    assert asked == {"2019-12": set(), "2020-01": {"C01", "C02", "C03", "C04"}}


def test_the_migration_adds_what_comes_and_frees_what_goes(year_end: YearEnd) -> None:
    assert "alter table core.delivered_loans add column insured boolean;" in year_end.migration
    assert "alter table core.delivered_visits alter column officer drop not null;" in year_end.migration
    assert "create table core.delivered_training (" in year_end.migration
    assert "annual_rate" not in year_end.migration


def test_a_late_package_of_the_old_year_is_taken_in_by_the_old_form(year_end: YearEnd, late: Late) -> None:
    [judged] = late.judged
    assert (judged.period, judged.verdict, {each.verdict for each in judged.reports}) == (
        "2019-12",
        "accepted",
        {"accepted"},
    )
    assert not [finding for finding in judged.findings if finding.rule in ("F02", "F05", "T01")]
    rates = "select count(*) > 300, count(annual_rate) = count(*), count(insured) from core.loans"
    assert year_end.rows(f"{rates} where period = '2019-12' and delivered_by = '{WITHHELD}'") == [(True, True, 0)]


def test_the_old_month_is_restated_with_it_and_the_new_one_stays(year_end: YearEnd, late: Late) -> None:
    assert (late.restated.run_id, late.restated.replaced_run_id) == ("2019-12-r2", "2019-12-r1")
    assert {each.report for each in late.restated.versions} == {
        "loans",
        "position",
        "visits",
        "outreach",
        "grid",
        "matches",
    }
    balance = year_end.value_of("loan_balance", DECEMBER, WITHHELD)
    assert balance is not None
    assert balance > 100
    assert run_of(year_end.engine, f"{JANUARY}-r1") == late.before
    assert [run.period for run in late.restated.later_runs] == ["2020-01"]
    assert months_left_behind(year_end.engine, DECEMBER) == ("2020-01",)


def test_the_old_form_in_the_new_year_is_told_what_has_changed(year_end: YearEnd, tmp_path: Path) -> None:
    assert said(check_file(year_end, tmp_path, "loans", DECEMBER, JANUARY)) == [
        ("F02", "缺少表头“是否投保”（自2020年1月起报送），请补上这一列，表头与模板一致。"),
        ("F02", "表头“贷款余额”只用到2019年12月，自2020年1月起改为“期末本金”，请改为“期末本金”。"),
        ("F02", "表头“年利率”只用到2019年12月，自2020年1月起改为“执行年利率”，请改为“执行年利率”。"),
    ]
    assert said(check_file(year_end, tmp_path, "visits", DECEMBER, JANUARY)) == [
        ("F05", "多出的列“信贷员”到2019年12月为止报送，不属于本期的报表，已忽略。")
    ]
    assert said(check_file(year_end, tmp_path, "loans", JANUARY, JANUARY)) == []


def test_the_new_form_in_the_old_year_is_told_what_it_was(year_end: YearEnd, tmp_path: Path) -> None:
    assert said(check_file(year_end, tmp_path, "loans", JANUARY, DECEMBER)) == [
        ("F02", "表头“期末本金”自2020年1月起才使用，本期的表头是“贷款余额”，请改为“贷款余额”。"),
        ("F02", "表头“执行年利率”自2020年1月起才使用，本期的表头是“年利率”，请改为“年利率”。"),
        ("F05", "多出的列“是否投保”自2020年1月起报送，不属于本期的报表，已忽略。"),
    ]
    shown = [
        str(cell)
        for sheet in openpyxl.load_workbook(tmp_path / "findings.xlsx")
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if cell is not None
    ]
    assert "执行年利率" in shown
    assert sound("loans")["borrower_id"] not in shown
    assert said(check_file(year_end, tmp_path, "loans", DECEMBER, DECEMBER)) == []


def test_a_new_value_and_a_new_report_are_of_the_new_year(year_end: YearEnd, tmp_path: Path) -> None:
    own = {"kind": "网络直播"}
    assert [rule for rule, _ in said(check_file(year_end, tmp_path, "outreach", DECEMBER, DECEMBER, **own))] == ["T04"]
    assert said(check_file(year_end, tmp_path, "outreach", JANUARY, JANUARY, **own)) == []
    assert said(check_file(year_end, tmp_path, "training", JANUARY, DECEMBER)) == [
        ("F10", f"“就业培训台账”自2020年1月起由贵单位报送，2019年12月不需报送，已略过，{TAKE_OUT}"),
    ]
    assert said(check_file(year_end, tmp_path, "training", JANUARY, JANUARY)) == []


def test_the_data_docs_of_a_month_name_its_headers(year_end: YearEnd) -> None:
    for month, named, other in ((DECEMBER, "年利率", "执行年利率"), (JANUARY, "执行年利率", "信贷员")):
        build_data_docs(year_end.engine, year_end.settings, month)
        folder = Path(year_end.settings.data_docs_address) / str(month)
        pages = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.html"))
        assert named in pages
        assert other not in pages


def test_a_template_holds_the_forms_of_its_month(year_end: YearEnd, tmp_path: Path) -> None:
    books = {}
    for month in (DECEMBER, JANUARY):
        for code in ("B01", "C01"):
            path = tmp_path / f"{code}-{month}.xlsx"
            write_template(year_end.settings, code, path, month)
            books[code, month] = openpyxl.load_workbook(path)
    for month in (DECEMBER, JANUARY):
        ledger = books["B01", month]["金融精准扶贫贷款台账"]
        assert [cell.value for cell in ledger[HEADER_ROW]] == headers_of("loans", month)
        cover = books["B01", month]["报送说明"]
        controls = [str(cell.value) for cell in cover["G"]]
        assert f"{load_forms(month)['loans'].column('balance').header}（元）" in controls
    assert "就业培训台账" not in books["C01", DECEMBER].sheetnames
    assert "就业培训台账" in books["C01", JANUARY].sheetnames
    notes = {month: books["B01", month]["贫困户走访存档"] for month in (DECEMBER, JANUARY)}
    assert [cell.value for cell in notes[JANUARY][HEADER_ROW]] == headers_of("visits", JANUARY)


def test_a_template_without_a_month_is_refused_while_two_forms_are_in_use(
    year_end: YearEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Period, "current", lambda: JANUARY)
    with pytest.raises(UsageError, match=r"^The forms of 2019-12 and 2020-01 differ; name the month with --period\.$"):
        write_template(year_end.settings, "B01", tmp_path / "B01.xlsx")
    monkeypatch.setattr(Period, "current", JANUARY.next)
    write_template(year_end.settings, "B01", tmp_path / "B01.xlsx")
    ledger = openpyxl.load_workbook(tmp_path / "B01.xlsx")["金融精准扶贫贷款台账"]
    assert "执行年利率" in [cell.value for cell in ledger[HEADER_ROW]]
