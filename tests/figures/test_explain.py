"""Every figure is proved by the delivered rows behind it (docs/figures.md#restatement-and-proof)."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from five_precisions.cli import make_app
from five_precisions.errors import RefusedError, SetupError, UsageError
from five_precisions.figures import assess, explain, restate
from five_precisions.figures.explain import EvidenceRow, TooSlowError
from five_precisions.intake import Archive
from five_precisions.reports import load_reports
from five_precisions.settings import INCLUDE, Settings
from five_precisions.warehouse.schema import alembic_config
from tests.figures.awkward_city import LEDGER, assess_awkward_city
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.proofs import every_metric_and_scope, unproved_figures
from tests.figures.small_city import SmallCity

LEDGER_HASH = "1" * 64


@pytest.fixture
def awkward(engine: Engine, settings: Settings) -> Engine:
    """The awkward city, assessed; B01's package of January was a file of sheets with a ledger of its own."""
    assess_awkward_city(engine, settings)
    with engine.begin() as connection:
        connection.execute(
            text("insert into intake.file values ('2019-01-B01-1', '台账.xlsx', :sha256, 100)"), {"sha256": LEDGER_HASH}
        )
        connection.execute(
            text(
                "update intake.report set file = '台账.xlsx', sheet = '金融精准扶贫贷款台账' "
                "where submission_id = '2019-01-B01-1' and report = 'loans'"
            )
        )
    return engine


def run_cli(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), ["explain", *arguments])


def test_every_figure_is_what_its_rows_come_to(awkward: Engine, settings: Settings) -> None:
    """Of every metric in every scope, in a month with all sorts of rows and in one with hardly any."""
    with awkward.connect() as connection:
        wrong, proved = unproved_figures(connection, settings)
    assert wrong == []
    assert every_metric_and_scope(settings) - proved == set()


def test_a_row_is_shown_with_file_hash_sheet_and_number_and_masked(awkward: Engine, settings: Settings) -> None:
    explained = explain(awkward, settings, "microcredit_overdue_ratio", scope="bank", code="B01", period=JANUARY)
    proof = explained.proof
    assert proof is not None
    assert (proof.rows, proof.rows_of_numerator, proof.rows_of_denominator) == (3, 1, 3)
    assert explained.is_proved
    first, *others = proof.first
    assert [row.part for row in proof.first] == ["both", "denominator", "denominator"]
    assert (first.report, first.institution_code, first.version) == ("loans", "B01", 1)
    assert (first.file, first.sha256, first.sheet) == ("台账.xlsx", LEDGER_HASH, "金融精准扶贫贷款台账")
    # The rows of a delivery are numbered from 2.
    assert (first.row, {row.row for row in others}) == (3, {2, 4})
    assert (str(first.numerator), str(first.denominator)) == ("0.5", "0.5")
    assert first.content["合同编号"] == "L2"
    assert first.content["借款人名称"] == "陈*"
    assert first.content["证件号码"] == "4417**********1234"
    assert first.content["是否扶贫小额信贷"] == "是"
    assert list(first.content) == [column.header for column in load_reports()["loans"].columns]
    assert "a" * 64 not in str(explained)


def test_what_nobody_delivers_is_shown_too(awkward: Engine, settings: Settings) -> None:
    def rows(metric: str, scope: str, code: str) -> list[tuple[str, str, object]]:
        proof = explain(awkward, settings, metric, scope=scope, code=code, period=JANUARY, first=None).proof
        assert proof is not None
        return [(row.part, row.report, row.content) for row in proof.first]

    target = rows("microcredit_completion", "bank", "B01")[-1]
    # 1,200 households by funds of 100 and 30.
    assert target == ("denominator", "target", {"机构代码": "B01", "全年目标户数": 923})
    towns = [
        content for part, report, content in rows("outreach_town_coverage", "city", "441700") if report == "register"
    ]
    assert [content["乡镇代码"] for content in towns] == ["441702001", "441702002", "441704001"]  # type: ignore[index]
    statuses = {
        content["报表"]: content["状态"]  # type: ignore[index]
        for _, _, content in rows("reporting_rate", "bank", "B02")
    }
    assert statuses["loans"] == "accepted"
    assert statuses["position"] == "missing"


@pytest.mark.parametrize(
    ("metric", "scope", "code"),
    [
        ("loan_balance", "city", "441700"),
        ("match_rate", "city", "441700"),
        ("outreach_town_coverage", "city", "441700"),
        ("reporting_rate", "bank", "B02"),
    ],
)
def test_rows_come_by_pages_that_neither_overlap_nor_leave_any_out(
    metric: str, scope: str, code: str, awkward: Engine, settings: Settings
) -> None:
    def page(first: int | None, offset: int) -> tuple[EvidenceRow, ...]:
        proof = explain(
            awkward, settings, metric, scope=scope, code=code, period=JANUARY, first=first, offset=offset
        ).proof
        assert proof is not None
        assert (proof.rows, proof.numerator) == (whole.rows, whole.numerator)
        return proof.first

    found = explain(awkward, settings, metric, scope=scope, code=code, period=JANUARY, first=None)
    assert found.proof is not None
    whole = found.proof
    assert len(whole.first) == whole.rows > 2
    pages = [page(2, offset) for offset in range(0, whole.rows, 2)]
    assert [row for each in pages for row in each] == list(whole.first)
    assert page(None, 1) == whole.first[1:]
    assert page(2, whole.rows) == page(0, 0) == ()


@pytest.mark.parametrize(("first", "offset"), [(-1, 0), (5, -1), (None, -1)])
def test_a_number_of_rows_below_zero_is_refused(
    first: int | None, offset: int, engine: Engine, settings: Settings
) -> None:
    with pytest.raises(UsageError, match="A number of rows is 0 or more"):
        explain(engine, settings, "loan_balance", scope="city", code=None, period=JANUARY, first=first, offset=offset)


def test_a_household_of_two_rows_is_counted_once(awkward: Engine, settings: Settings) -> None:
    explained = explain(awkward, settings, "microcredit_ytd_households", scope="city", code=None, period=JANUARY)
    assert explained.proof is not None
    assert (explained.value, explained.proof.rows) == (2, 3)
    assert [row.counted for row in explained.proof.first] == ["H1", "H1", "H2"]


def test_an_older_run_of_a_restated_month(awkward: Engine, settings: Settings) -> None:
    with awkward.begin() as connection:
        city = SmallCity.__new__(SmallCity)
        city._connection, city._versions = connection, {(JANUARY, "B01"): 1}
        city.deliver(JANUARY, "B01", day=25, loans=LEDGER[:1])
    assert restate(awkward, settings, JANUARY, "台账有误", "行长").run_id == "2019-01-r2"
    now = explain(awkward, settings, "loan_balance", scope="bank", code="B01", period=JANUARY)
    before = explain(awkward, settings, "loan_balance", scope="bank", code="B01", period=JANUARY, run_id="2019-01-r1")
    assert now.proof is not None
    assert before.proof is not None
    assert (now.run_id, now.is_current, now.value, now.proof.rows, now.is_proved) == ("2019-01-r2", True, 3, 1, True)
    assert (before.is_current, before.is_proved, before.proof.rows) == (False, True, 7)
    assert str(before.value) == "19.5"
    assert now.proof.first[0].version == 2
    with pytest.raises(UsageError, match="2019-01 has no run '2019-02-r1'; it has 2019-01-r1, 2019-01-r2"):
        explain(awkward, settings, "loan_balance", scope="city", code=None, period=JANUARY, run_id="2019-02-r1")


def test_an_older_run_knows_the_round_of_visits_of_its_day(engine: Engine, settings: Settings) -> None:
    """January reached round 1 only when it was restated: February's first run still asked for round 1."""
    visited = [{"household_no": f"H{number}"} for number in range(10)]
    with engine.begin() as connection:
        city = SmallCity(connection)
        for period in (JANUARY, FEBRUARY):
            city.open(period)
            city.deliver(period, "C01", households=visited, guarantee_funds=[{}])
        city.deliver(JANUARY, "B01", visits=visited[:8])
        for period in (JANUARY, FEBRUARY):
            city.close(period)
    assess(engine, settings, JANUARY)
    assess(engine, settings, FEBRUARY)
    with engine.begin() as connection:
        city._connection = connection
        city.deliver(JANUARY, "B01", day=25, visits=visited[:9])
    restate(engine, settings, JANUARY, "补报走访", "行长")
    restate(engine, settings, FEBRUARY, "一月重述", "行长")
    before = explain(engine, settings, "visit_coverage", scope="city", code=None, period=FEBRUARY, run_id="2019-02-r1")
    now = explain(engine, settings, "visit_coverage", scope="city", code=None, period=FEBRUARY)
    assert (before.value, before.is_proved) == (80, True)
    assert (now.value, now.is_proved) == (0, True)


def test_a_run_knows_the_register_of_its_day(awkward: Engine, settings: Settings) -> None:
    """Since then a county has a town more and its office another one's place, and a bank has become an office."""

    def explained(metric: str, scope: str, code: str) -> list[object]:
        found = explain(awkward, settings, metric, scope=scope, code=code, period=JANUARY)
        assert found.proof is not None
        return [found.value, found.proof.numerator, found.proof.denominator, found.is_proved]

    figures = [
        ("outreach_town_coverage", "county", "441702"),
        ("fund_total_arrived", "county", "441702"),
        ("outreach_team", "city", "441700"),
        ("reports_expected", "county", "441702"),
    ]
    then = [explained(*figure) for figure in figures]
    assert [values[-1] for values in then] == [True] * 4
    with awkward.begin() as connection:
        connection.execute(text("insert into registry.division values ('441702003', '新镇', 'town', '441702')"))
        connection.execute(text("update registry.institution set division_code = '441704' where code = 'C01'"))
        connection.execute(text("update registry.institution set kind = 'county_office' where code = 'B01'"))
    assert [explained(*figure) for figure in figures] == then


def test_runs_of_before_get_the_register_as_it_is(awkward: Engine) -> None:
    def register_of_runs() -> list[list[tuple[object, ...]]]:
        with awkward.connect() as connection:
            return [
                list(map(tuple, connection.execute(text(f"select * from mart.{table} order by run_id, code"))))
                for table in ("run_institution", "run_division")
            ]

    kept = register_of_runs()
    # B03 closed on the last day of February, and January uses what it delivered.
    of_b03 = [(row[0], row[-1]) for row in kept[0] if row[1] == "B03"]
    assert of_b03 == [("2019-01-r1", True), ("2019-02-r1", False)]
    config = alembic_config()
    with awkward.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0013")
        command.upgrade(config, "head")
    assert register_of_runs() == kept


def test_a_figure_that_is_not_what_its_rows_come_to_is_said_so(awkward: Engine, settings: Settings) -> None:
    with awkward.begin() as connection:
        connection.execute(text("update core.delivered_loans set balance = 1 where contract_no = 'L2'"))
    explained = explain(awkward, settings, "loan_balance", scope="city", code=None, period=JANUARY)
    assert explained.is_proved is False
    printed = run_cli("loan_balance", "--period", "2019-01")
    assert printed.exit_code == 0
    assert "not the figure, so what is on record was altered since" in printed.output


def test_the_command_shows_the_first_rows_and_writes_all(awkward: Engine, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    printed = run_cli("loan_balance", "--period", "2019-01", "--first", "2", "--csv", str(file))
    assert printed.exit_code == 0, printed.output
    for words in (
        "21.00 万元",
        "贷款余额合计",
        "2019-01-r1",
        LEDGER_HASH,
        "金融精准扶贫贷款台账, row 2",
        "2 of 8 rows",
    ):
        assert words in printed.output
    assert f"all 8 are in {file}" in printed.output
    assert "4417**********1234" in printed.output

    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert len(rows) == 8
    assert {row["证件号码"] for row in rows} == {"4417**********1234"}
    assert sum(float(row["numerator"]) for row in rows) == 21
    ledger = [row for row in rows if row["institution"] == "B01"]
    assert {(row["file"], row["sha256"], row["sheet"]) for row in ledger} == {
        ("台账.xlsx", LEDGER_HASH, "金融精准扶贫贷款台账")
    }
    assert sorted(row["row"] for row in ledger) == ["2", "3", "4", "5", "6", "7", "8"]
    # What a spreadsheet would run stands in quotation marks.
    assert [row["合同编号"] for row in ledger if row["row"] == "7"] == ["“=L6”"]
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())

    nowhere = run_cli("loan_balance", "--period", "2019-01", "--csv", str(tmp_path / "none" / "rows.csv"))
    assert isinstance(nowhere.exception, SetupError)
    assert "cannot be written" in str(nowhere.exception)


@pytest.fixture
def archived_ledger(awkward: Engine, settings: Settings) -> Path:
    """The archived copy of B01's ledger."""
    sha256 = Archive.of(settings).put(b"the ledger")
    with awkward.begin() as connection:
        connection.execute(text("update intake.file set sha256 = :sha256 where name = '台账.xlsx'"), {"sha256": sha256})
    return Path(settings.archive_address) / sha256[:2] / sha256


def cited(*arguments: str) -> tuple[list[str], set[str | None]]:
    """What is said of the ledger among the files, and in the JSON of its rows."""
    asked = ("loan_balance", "--scope", "bank", "--code", "B01", "--period", "2019-01")
    shown, printed = run_cli(*asked, *arguments), run_cli(*asked, *arguments, "--json")
    assert shown.exit_code == printed.exit_code == 0
    said = [
        line.partition("台账.xlsx")[2] for line in shown.stdout.partition("files (SHA-256)")[2].splitlines() if line
    ]
    return said, {row["archived"] for row in json.loads(printed.stdout)["proof"]["first"]}


def test_a_file_that_the_archive_does_not_give_back_is_said_beside_it(archived_ledger: Path, tmp_path: Path) -> None:
    assert cited() == ([""], {"whole"})
    elsewhere = Archive(str(tmp_path / "elsewhere"), [b"another-secret-of-at-least-32-bytes"])
    elsewhere.put(b"the ledger")
    shutil.copy(tmp_path / "elsewhere" / archived_ledger.parent.name / archived_ledger.name, archived_ledger)
    assert cited() == ([" (its archived copy is unreadable)"], {"unreadable"})
    archived_ledger.write_bytes(archived_ledger.read_bytes()[:-1])
    assert cited() == ([" (its archived copy is altered)"], {"altered"})
    archived_ledger.unlink()
    assert cited() == ([" (its archived copy is missing)"], {"missing"})


def test_only_the_files_that_are_shown_are_looked_at(archived_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    look = Archive.look
    monkeypatch.setattr(Archive, "look", lambda self, sha256: looked.append(sha256) or look(self, sha256))
    run_cli("loan_balance", "--period", "2019-01", "--first", "0")
    assert looked == []
    run_cli("loan_balance", "--scope", "bank", "--code", "B01", "--period", "2019-01", "--first", "3")
    assert looked == [archived_ledger.name]


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("ARCHIVE_KEY", "", "FIVE_PRECISIONS_ARCHIVE_KEY is not set"),
        ("ARCHIVE", "sftp://127.0.0.1:1/archive", "does not answer"),
    ],
)
def test_a_figure_is_explained_where_nobody_can_look_into_the_archive(
    setting: str, value: str, sentence: str, archived_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FIVE_PRECISIONS_{setting}", value)
    assert cited() == ([" (not held against the archive)"], {None})
    explained = run_cli("loan_balance", "--period", "2019-01")
    assert "The files were not held against the archive: " in explained.stderr
    assert sentence in explained.stderr


def test_the_command_as_json_and_of_a_ratio(awkward: Engine) -> None:
    printed = run_cli("match_rate", "--scope", "bank", "--code", "B01", "--period", "2019-01", "--json")
    explained = json.loads(printed.output)
    assert (explained["value"], explained["is_proved"], explained["proof"]["rows"]) == ("100", True, 3)
    assert [(row["part"], row["report"], row["row"]) for row in explained["proof"]["first"]] == [
        # The project, the bank's match, and the row of the position by which it was offered.
        ("both", "projects", 2),
        ("numerator", "matches", 2),
        ("denominator", "position", 2),
    ]
    shown = run_cli("match_rate", "--scope", "bank", "--code", "B01", "--period", "2019-01")
    assert "3: 2 of numerator, 2 of denominator" in shown.output
    assert "numerator 1, denominator 1" in shown.output


def test_a_metric_without_evidence_says_so(awkward: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = (INCLUDE / "reference" / "metrics.yaml").read_text(encoding="utf-8")
    (tmp_path / "metrics.yaml").write_text(given.replace("  evidence: [evidence/league]\n", "", 1), encoding="utf-8")
    monkeypatch.setenv("FIVE_PRECISIONS_REFERENCE", str(tmp_path))
    printed = run_cli("province_rank", "--period", "2019-01")
    assert printed.exit_code == 0
    assert "The catalogue declares no evidence for province_rank" in printed.output
    assert "全省排名" in printed.output


def test_a_missing_report_leaves_no_value_to_prove(awkward: Engine, settings: Settings) -> None:
    explained = explain(awkward, settings, "loan_balance", scope="bank", code="B03", period=JANUARY)
    assert explained.proof is not None
    assert (explained.value, explained.proof.rows, explained.is_proved) == (None, 0, None)
    printed = run_cli("loan_balance", "--scope", "bank", "--code", "B03", "--period", "2019-01")
    assert "no value: a report that it needs is missing" in printed.output


def test_rows_that_are_not_found_in_time_are_given_up(awkward: Engine, settings: Settings) -> None:
    asked = {"scope": "city", "code": None, "period": JANUARY}
    with awkward.begin() as connection:
        connection.execute(text("lock table core.loans in access exclusive mode"))
        with pytest.raises(TooSlowError, match=r"took longer than 0\.2 s"):
            explain(awkward, settings, "loan_balance", **asked, most_seconds=0.2)  # type: ignore[arg-type]
    assert explain(awkward, settings, "loan_balance", **asked, most_seconds=20).is_proved  # type: ignore[arg-type]


def test_a_row_says_for_which_month_it_was_delivered(awkward: Engine, settings: Settings) -> None:
    proof = explain(
        awkward, settings, "households_visited_cumulative", scope="city", code=None, period=FEBRUARY, first=None
    ).proof
    assert proof is not None
    assert ("visits", "2019-01") in {(row.report, row.delivered_for) for row in proof.first}


def test_a_month_without_a_run_has_nothing_to_explain(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        SmallCity(connection).open(JANUARY)
    with pytest.raises(RefusedError, match="2019-01 has not been assessed"):
        explain(engine, settings, "loan_balance", scope="city", code=None, period=JANUARY)
