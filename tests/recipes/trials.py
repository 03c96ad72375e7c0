"""What comes of each recipe, looked at in the copy in which it was done; test_recipes.py runs this file there."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from sqlalchemy import Engine, create_engine, make_url, text

import five_precisions
import tests.conftest as own
from five_precisions.bulletin import post_notices
from five_precisions.bulletin.compose import compose
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.results import read_results
from five_precisions.bulletin.tables import scores
from five_precisions.collection import check, close, collect
from five_precisions.delivery import list_messages
from five_precisions.figures import assess
from five_precisions.figures.explain import explain
from five_precisions.forms import write_template
from five_precisions.forms.template import HEADER_ROW
from five_precisions.period import Period, Quarter
from five_precisions.settings import ROOT, Settings
from five_precisions.warehouse import migrate, open_warehouse
from five_precisions_docs.alerts import alerts_page
from five_precisions_docs.metrics import metrics_page
from five_precisions_docs.rules import rules_page
from tests.airflow_home import pytest_unconfigure as take_away_the_home
from tests.docs import test_words
from tests.figures.small_city import SmallCity
from tests.packages import JUNE, csv_bytes, package, put, sound, table
from tests.reports import test_declaration
from tests.rows import rows
from tests.web.conftest import PREFIX, Login, api_server, login, stranger  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

QUARTER = (Period(2019, 1), Period(2019, 2), Period(2019, 3))
JANUARY, FEBRUARY, MARCH = QUARTER


@pytest.fixture(scope="session", autouse=True)
def server_url() -> Iterator[str]:
    """The server of the tests outside, and as template the database that the copy's migrations make."""
    assert Path(five_precisions.__file__).is_relative_to(ROOT)
    assert Path(__file__).is_relative_to(ROOT)
    address = os.environ["RECIPES_WAREHOUSE"]
    engine = create_engine(address)
    migrate(engine)
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "TEMPLATE", make_url(address).database)
        yield address
    take_away_the_home()


@pytest.fixture(scope="module")
def assessed(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Settings]]:
    """A small city of which a quarter is assessed. B01 visits nobody, and holds one activity a month."""
    with own.fresh_database(server_url) as url:
        var = tmp_path_factory.mktemp("var")
        settings = Settings(_env_file=None, var=var, warehouse=url, pii_key=own.SECRET, archive_key=own.SECRET)
        with open_warehouse(settings) as engine:
            with engine.begin() as connection:
                city = SmallCity(connection, banks=("B01", "B02"))
                connection.execute(
                    text(
                        "insert into registry.contact (institution_code, address, role) "
                        "values ('B01', 'b01@example.test', 'contact')"
                    )
                )
                for period in QUARTER:
                    city.open(period)
                    deliver(city, period)
                    city.close(period)
            for period in QUARTER:
                assess(engine, settings, period)
            yield engine, settings


def deliver(city: SmallCity, period: Period) -> None:
    """Three loans, an activity of B01 and two of B02, households of both banks, and what a bank answers."""
    held = {"held_on": period.begin}
    two = [
        {"contract_no": "L1", "household_no": "H1", "balance": 30_000},
        {"contract_no": "L2", "household_no": "H2", "balance": 10_000},
    ]
    city.deliver(period, "B01", loans=two, position=[{}], visits=[], outreach=[held], matches=[{}], grid=[])
    city.deliver(
        period,
        "B02",
        loans=[{"contract_no": "L3", "household_no": "H3"}],
        position=[{}],
        visits=[{"household_no": "H3", "visited_on": period.begin}],
        outreach=[held, held | {"kind": "集中宣讲"}],
        matches=[],
        grid=[],
    )
    households = [{"household_no": f"H{n}", "bank_code": "B02" if n == 3 else "B01"} for n in (1, 2, 3)]
    city.deliver(period, "C01", households=households, projects=[{}], guarantee_funds=[{}])
    city.deliver(period, "C02", households=[])


def test_a_metric(assessed: tuple[Engine, Settings]) -> None:
    engine, settings = assessed
    found = rows(
        engine,
        "select scope, scope_code, value from mart.current_metric "
        "where metric = 'microcredit_per_household' and period = '2019-01' and value is not null order by 1, 2",
    )
    assert [(scope, code, str(round(value, 4))) for scope, code, value in found] == [
        ("bank", "B01", "2.0000"),
        ("bank", "B02", "3.0000"),
        ("city", "441700", "2.3333"),
        ("county", "441702", "2.3333"),
    ]
    explained = explain(
        engine, settings, "microcredit_per_household", scope="bank", code="B01", period=JANUARY, first=None
    )
    assert (explained.name, explained.value, explained.is_proved) == ("户均扶贫小额信贷余额", 2, True)
    assert explained.proof is not None
    assert explained.proof.rows == 2
    assert "microcredit_per_household" in metrics_page(settings)


def test_an_alert(assessed: tuple[Engine, Settings]) -> None:
    engine, _ = assessed
    found = rows(
        engine,
        "select period, institution_code, level, detail from mart.current_alert where rule = 'A19' order by period",
    )
    assert found == [(str(period), "B01", "low", "责任贫困户2户，本月没有走访。") for period in QUARTER]
    (case,) = rows(engine, "select distinct case_id from mart.current_alert where rule = 'A19'")
    assert case[0]
    assert "A19" in alerts_page()


def test_an_indicator(assessed: tuple[Engine, Settings]) -> None:
    engine, settings = assessed
    items = rows(
        engine,
        "select period, institution_code, weight, points, note from mart.current_assessment_item "
        "where indicator = 'publicity' order by 1, 2",
    )
    # January goes by the version of the scheme from before.
    assert [(row[0], row[1], row[2], str(round(row[3], 1)), row[4]) for row in items] == [
        (str(period), bank, 10, points, note)
        for period in (FEBRUARY, MARCH)
        for bank, points, note in (("B01", "0.5", "本月宣传培训活动1场"), ("B02", "1.0", "本月宣传培训活动2场"))
    ]
    assert (
        rows(engine, "select sum(weight) from mart.current_assessment_item group by period, institution_code")
        == [(100,)] * 6
    )
    steps = rows(
        engine,
        "select institution_code, step, unit, action from mart.current_next_step "
        "where indicator = 'publicity' and period = '2019-02'",
    )
    assert steps == [("B01", 1, "场", "本月再举办宣传培训1场：活动完成率50.00%→100.00%")]

    (key,) = post_notices(engine, settings, FEBRUARY)[:1]
    (html,) = rows(engine, f"select html from notify.message where message_key = '{key}'")[0]
    assert "宣传培训" in html
    assert "本月宣传培训活动1场" in html
    assert "本月再举办宣传培训1场" in html

    with engine.connect() as connection:
        quarter = QuarterResults(Quarter(2019, 1), read_results(connection, settings, MARCH), MARCH.end)
        january = read_results(connection, settings, JANUARY)
    assert [column.header for column in scores(quarter).columns][2:9] == [
        "基础指标", "完成率", "项目对接", "走访", "资产质量", "报送质量", "宣传培训",
    ]  # fmt: skip
    assert "宣传培训10" in scores(quarter).note
    assert "publicity" not in january.indicators
    assert compose(quarter).quarter == "2019-Q1"


def test_a_board(assessed: tuple[Engine, Settings]) -> None:
    engine, _ = assessed
    found = rows(
        engine,
        "select period, subject_code, rank from mart.current_ranking where board = 'bank_match_rate' order by 1, 3",
    )
    assert found == [(str(period), bank, rank) for period in QUARTER for bank, rank in (("B01", 1), ("B02", 2))]


@pytest.fixture
def city(register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The warehouse with the register; commands and pages see it too."""
    return register_saved_engine


def test_a_row_rule(tmp_path: Path) -> None:
    def found(amount: str, period: Period) -> list[tuple[str, str | None]]:
        folder = tmp_path / f"{amount}-{period}"
        visit = sound("visits", wanted_amount=amount, visited_on=f"{period}-01")
        put(folder, package(visits=[visit]))
        judgement = check(Settings(_env_file=None), folder, "B01", period)
        return [(finding.rule, finding.cell) for finding in judgement.findings]

    assert found("500000", JUNE) == []
    assert found("500000.01", JUNE) == [("V04", "G2")]
    assert found("500000.01", JANUARY) == []
    assert "V04" in rules_page()


def test_a_cross_rule(city: Engine, settings: Settings) -> None:
    inbox = Path(settings.inbox_address) / str(JUNE)
    put(inbox / "C01" / "v1", package(households=[sound("households")]))
    put(inbox / "B01" / "v1", package(visits=[sound("visits"), sound("visits", household_no="H-9")]))
    collect(city, settings, JUNE, replay=True)
    assert close(city, settings, JUNE, replay=True).cross_checks == ("2019-06-B01-close",)
    found = rows(city, "select rule, key, cell, value from intake.finding where submission_id = '2019-06-B01-close'")
    assert found == [("X11", "H-9/2019-06-01", "A3", "H-9")]
    assert "X11" in rules_page()


def test_a_column(city: Engine, settings: Settings, tmp_path: Path) -> None:
    write_template(settings, "B01", tmp_path / "B01.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "B01.xlsx")["金融精准扶贫贷款台账"]
    assert "是否投保" in [cell.value for row in sheet.iter_rows(max_row=12) for cell in row]

    ledger = [{**sound("loans"), "insured": "是"}, sound("loans", contract_no="HT-002")]
    put(Path(settings.inbox_address) / str(JUNE) / "B01" / "v1", package(loans=ledger))
    collect(city, settings, JUNE, replay=True)
    assert rows(city, "select contract_no, insured from core.loans order by 1") == [("HT-001", True), ("HT-002", None)]
    assert comments(city, "loans")["insured"] == "是否投保"
    assert_is_declared_and_explained(city, "loans")


def test_a_report(city: Engine, settings: Settings, tmp_path: Path) -> None:
    write_template(settings, "C01", tmp_path / "C01.xlsx")
    assert "就业培训台账" in openpyxl.load_workbook(tmp_path / "C01.xlsx").sheetnames

    line = {"household_no": "H-1", "days": "5"}
    put(tmp_path / "twice", package(training=[line, line]))
    judgement = check(settings, tmp_path / "twice", "C01", JUNE)
    assert [(finding.rule, finding.report) for finding in judgement.findings] == [("K01", "training")] * 2

    put(Path(settings.inbox_address) / str(JUNE) / "C01" / "v1", package(training=[line]))
    collect(city, settings, JUNE, replay=True)
    assert rows(city, "select delivered_by, household_no, days from core.training") == [("C01", "H-1", 5)]
    assert comments(city, "training").keys() == {
        "period", "submission_id", "delivered_by", "row_number", "household_no", "days",
    }  # fmt: skip
    assert_is_declared_and_explained(city, "training")


def test_a_header_from_january(settings: Settings, tmp_path: Path) -> None:
    december, january = Period(2019, 12), Period(2020, 1)
    ledger = table("loans", [sound("loans")])
    place = ledger[0].index("年利率")
    told: dict[tuple[str, Period], list[str]] = {}
    for header in ("年利率", "执行年利率"):
        ledger[0][place] = header
        (tmp_path / "loans.csv").write_bytes(csv_bytes(ledger))
        for month in (december, january):
            findings = check(settings, tmp_path / "loans.csv", "B01", month).findings
            told[header, month] = [finding.message for finding in findings if finding.rule == "F02"]
    assert told["年利率", december] == told["执行年利率", january] == []
    [old] = told["年利率", january]
    assert old == "表头“年利率”只用到2019年12月，自2020年1月起改为“执行年利率”，请改为“执行年利率”。"
    [new] = told["执行年利率", december]
    assert new == "表头“执行年利率”自2020年1月起才使用，本期的表头是“年利率”，请改为“年利率”。"
    for header, month in (("年利率", december), ("执行年利率", january)):
        write_template(settings, "B01", tmp_path / f"{month}.xlsx", month)
        sheet = openpyxl.load_workbook(tmp_path / f"{month}.xlsx")["金融精准扶贫贷款台账"]
        assert header in [cell.value for cell in sheet[HEADER_ROW]]


def assert_is_declared_and_explained(engine: Engine, report: str) -> None:
    """The tests that hold declaration and words of the field, in this copy and for this report."""
    test_declaration.test_the_eleven_reports_are_declared_in_order()
    test_declaration.test_a_report_is_declared_as_the_spec_lists_it(report)
    test_declaration.test_the_migrated_table_holds_the_declared_columns(engine, report)
    test_declaration.test_every_column_says_what_belongs_into_it()
    assert test_words.unexplained([report, *comments(engine, report)], test_words.glossary()) == []
    assert f"\n## {report}\n" in (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def comments(engine: Engine, view: str) -> dict[str, str]:
    found = rows(
        engine,
        "select attname, col_description(attrelid, attnum) from pg_attribute "
        f"where attrelid = 'core.{view}'::regclass and attnum > 0",
    )
    assert None not in {comment for _, comment in found}
    return dict(found)


def test_a_dag(settings: Settings) -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(ROOT / "dags"))
    assert bag.import_errors == {}
    dag = bag.dags["weekly_verification"]
    assert [task.task_id for task in dag.tasks] == ["verify"]
    assert "**What.**" in (dag.doc_md or "")


def test_a_page(city: Engine, settings: Settings, login: Login, stranger: TestClient) -> None:  # noqa: F811 - fixtures
    from tests.web import test_documented

    put(Path(settings.inbox_address) / str(JUNE) / "B01" / "v1", package(loans=[sound("loans")]))
    collect(city, settings, JUNE, replay=True)
    address = f"{PREFIX}/progress?period=2019-06"
    sent_on = stranger.get(address)
    assert (sent_on.status_code, "/auth/login" in sent_on.headers["location"]) == (307, True)
    answer = login("viewer").get(address)
    assert answer.status_code == 200
    assert "<th scope=row><a" not in answer.text
    assert '<th scope=row>岭海通商</th>\n<td class="number">5</td>' in answer.text
    saved = login("viewer").get(f"{address}&download=missing.csv")
    assert "岭海通商,5" in saved.content.decode("utf-8-sig")
    assert login(None).get(address).status_code == 403
    assert login("viewer").get(f"{PREFIX}/progress?period=2019-13").status_code == 404
    test_documented.test_every_page_is_explained()


def test_a_mail(city: Engine, settings: Settings) -> None:
    from five_precisions.orchestration.collection import open_month

    # It is there in the copy only.
    post_openings = importlib.import_module("five_precisions.receipts.opening").post_openings
    run: Any = {"dag_run": SimpleNamespace(partition_key=str(JUNE))}
    assert len(open_month(run)) == 17
    posted = [message for message in list_messages(city) if message.kind == "opening"]
    assert len(posted) >= 17
    open_month(run)
    with city.begin() as connection:
        assert post_openings(connection, settings, JUNE) == []
    assert [message for message in list_messages(city) if message.kind == "opening"] == posted
    assert {message.subject for message in posted} == {"2019年6月报送开始"}
    (html,) = rows(city, "select html from notify.message where kind = 'opening' and institution_code = 'B01'")[0]
    assert "请于2019年7月10日" in html
    assert "金融精准扶贫贷款台账" in html
