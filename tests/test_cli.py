"""The command line as its users meet it: exit codes, one sentence for each trouble, data as JSON (docs/outputs.md)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from five_precisions import cli
from five_precisions.cli import console
from five_precisions.display import text_width
from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.settings import Settings
from tests.command_line import COMMAND, assert_one_sentence, run, run_installed
from tests.figures.conftest import JANUARY
from tests.figures.small_city import SmallCity

PLUGINS = "five_precisions.commands"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        pytest.param(("assess", "2019-13"), {}, "'2019-13' is not a period", id="no such month"),
        pytest.param(("collect", "2999-01"), {}, "2999-01 has not begun", id="month in the future"),
        pytest.param(
            ("collect", "2019-01"), {"FIRST_PERIOD": "2019-02"}, "before the first period", id="month not open"
        ),
        pytest.param(("collect", "2019-01"), {"PII_KEY": ""}, "PII_KEY is not set", id="no PII key"),
        pytest.param(("collect", "2019-01"), {"PII_KEY": "short"}, "PII_KEY is too short", id="short PII key"),
        pytest.param(("collect", "2019-01"), {"ARCHIVE_KEY": ""}, "ARCHIVE_KEY is not set", id="no archive key"),
        pytest.param(
            ("collect", "2019-01", "--institution", "B99"), {}, "B99 is not an institution", id="unknown institution"
        ),
        pytest.param(
            ("assess", "2019-01"),
            {"WAREHOUSE": "postgresql://nobody@127.0.0.1:1/none"},
            "cannot be reached",
            id="nobody answers",
        ),
        pytest.param(("assess", "2019-01"), {"WAREHOUSE": "sqlite://"}, "the warehouse is PostgreSQL", id="sqlite"),
        pytest.param(("assess", "2019-01"), {"WAREHOUSE": "nonsense"}, "is not a SQLAlchemy URL", id="no address"),
        pytest.param(("init",), {"REGISTER": "/nowhere"}, "/nowhere", id="no register"),
        pytest.param(("assess", "2019-01"), {"SECRETS_FILE": "/nowhere"}, "does not exist", id="no secrets file"),
        pytest.param(
            ("assess", "2019-01"),
            {"WAREHOUSE": "postgresql://nobody@127.0.0.1:none/x"},
            "is not a SQLAlchemy URL",
            id="a port that is no number",
        ),
        pytest.param(
            ("assess", "2019-01"),
            {"WAREHOUSE": "postgresql://nobody:hidden@127.0.0.1:1/x?nonsense=1"},
            'nobody:***@127.0.0.1:1/x?nonsense=1 cannot be reached: invalid connection option "nonsense"',
            id="an option that nobody knows",
        ),
        pytest.param(
            ("warehouse", "url"), {"WAREHOUSE": "sqlite://"}, "the warehouse is PostgreSQL", id="url of sqlite"
        ),
        pytest.param(("explain", "nonsense", "--period", "2019-01"), {}, "is no metric", id="unknown metric"),
        pytest.param(("explanations", "list", "--institution", "B99"), {}, "B99 is not an institution", id="explained"),
        pytest.param(("deadline", "2019-01", "--institution", "B99"), {}, "B99 is not an institution", id="deadline"),
        pytest.param(("outbox", "list", "--period", "nonsense"), {}, "'nonsense' is not a period", id="messages"),
        pytest.param(("outbox", "list", "--period", "2019-Q5"), {}, "'2019-Q5' is not a quarter", id="messages of Q5"),
    ],
)
def test_wrong_usage_and_set_up_end_with_one_sentence(
    register_saved_engine: Engine, words: tuple[str, ...], environment: dict[str, str], sentence: str
) -> None:
    assert_one_sentence(run(*words, **environment), 2, sentence)


@pytest.mark.integration
@pytest.mark.parametrize("words", [("init",), ("status", "2019-01"), ("warehouse", "start")])
def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    result = run(*words, VAR=str(tmp_path / "file"))
    assert_one_sentence(result, 2, f"cannot keep its data in {tmp_path}/file/warehouse: Not a directory; name a folder")


@pytest.mark.integration
def test_what_the_machine_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run_installed("demo-data", "--out", str(tmp_path / "file"), "--until", "2019-01")
    assert_one_sentence(result, 2, f"{tmp_path}/file/2019-01/B01: Not a directory.")


def test_an_empty_warehouse_names_the_remedy(empty_database_url: str) -> None:
    assert_one_sentence(run("assess", "2019-01", WAREHOUSE=empty_database_url), 2, "run: five-precisions init")


def test_what_is_refused_ends_with_one(register_saved_engine: Engine, tmp_path: Path) -> None:
    assert_one_sentence(run_installed("assess", "2019-01"), 1, "2019-01 is not closed")
    this_month = Period.current()
    # A month whose days off are not announced yet has a second sentence, about the calendar.
    first = this_month.next().begin
    announced = [f"{first + timedelta(days=number)},1" for number in range(31)]
    (tmp_path / "holidays.csv").write_text("\n".join(["date,workday", *announced]), encoding="utf-8")
    refused = run("close", str(this_month), REFERENCE=str(tmp_path))
    assert_one_sentence(refused, 1, "cannot be closed before its deadline")


def test_init_can_be_repeated(empty_database_url: str) -> None:
    for _ in range(2):
        result = run_installed("init", WAREHOUSE=empty_database_url)
        assert (result.returncode, result.stderr) == (0, "")
        assert "17 institutions" in result.stdout


def test_assess_explain_and_status_print_data(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "B01", loans=[{"contract_no": "L1"}], position=[{}])
        city.deliver(JANUARY, "C01", guarantee_funds=[{}])
        city.close(JANUARY)
    first = json.loads(run_installed("assess", "2019-01", "--json").stdout)
    assert (first["run_id"], first["period"], first["is_new"]) == ("2019-01-r1", "2019-01", True)
    assert [bank["status"] for bank in first["assessment"]] == ["ranked", "unranked", "unranked"]
    assert not assess(engine, settings, JANUARY).is_new

    explained = json.loads(run("explain", "loan_balance", "--period", "2019-01", "--json").stdout)
    assert (explained["value"], explained["unit"], explained["period"]) == ("3", "万元", "2019-01")
    assert_one_sentence(run("explain", "loan_balance", "--period", "2019-01", "--scope", "bank"), 2, "Which bank?")
    previewed = json.loads(run("restate", "2019-01", "--reason", "x", "--preview", "--json").stdout)
    assert (previewed["period"], previewed["is_new"]) == ("2019-01", False)
    assert run("targets", "list", "2018").stdout == "Nothing to show.\n"
    shown = run("explain", "loan_balance", "--period", "2019-01").stdout
    assert "3.00 万元" in shown
    assert "贷款余额合计" in shown

    matrix = json.loads(run("status", "2019-01", "--json").stdout)
    states = {(cell["institution_code"], cell["report"]): cell["state"] for cell in matrix}
    assert states["B01", "loans"] == "accepted"
    assert states["B02", "loans"] == "missing"


def test_the_address_is_one_for_psql_too(database_url: str) -> None:
    address = run("warehouse", "url", WAREHOUSE=database_url).stdout.strip()
    assert address.startswith("postgresql://"), "psql does not know the name of a Python driver"
    for engine in (create_engine(address), create_engine(database_url)):
        with engine.connect() as connection:
            assert connection.execute(text("select current_database()")).scalar_one() in database_url
        engine.dispose()
    with psycopg.connect(address) as session:
        assert session.execute("select 42").fetchall() == [(42,)]


@pytest.mark.integration
def test_a_terminal_of_another_encoding_does_not_end_a_command() -> None:
    result = subprocess.run(
        [COMMAND, "--help"],
        capture_output=True,
        check=False,
        timeout=120,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert rb"Five Precisions (\u4e94" in result.stdout


WITHOUT_DEMO = """
import sys

class Gone:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "five_precisions_demo":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Gone)
from five_precisions.cli import main
main()
"""


@pytest.mark.integration
def test_the_command_line_needs_no_demo() -> None:
    commands = {}
    for name, program in (("with", [COMMAND]), ("without", [sys.executable, "-c", WITHOUT_DEMO])):
        shown = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True, timeout=120).stdout
        commands[name] = set(re.findall(r"^│ (\S+)", shown, re.MULTILINE))
    assert "init" in commands["without"]
    assert commands["with"] - commands["without"] == {"demo-data"}


@pytest.mark.integration
def test_commands_of_an_installed_package_import_by_themselves() -> None:
    for point in entry_points(group=PLUGINS):
        alone = subprocess.run(
            [sys.executable, "-c", f"import {point.module}"], capture_output=True, text=True, check=False, timeout=120
        )
        assert (alone.returncode, alone.stderr) == (0, "")
    assert entry_points(group=PLUGINS)


@pytest.mark.parametrize("broken", ["email:no_such_app", "email.no_such_module:app"])
def test_a_package_whose_commands_do_not_load_is_named(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("broken", broken, PLUGINS)])
    monkeypatch.setattr(cli, "entry_points", lambda group: points.select(group=group))
    cli.make_app.cache_clear()
    try:
        assert_one_sentence(run("--help"), 2, f"The installed commands of {broken} cannot be loaded: ")
    finally:
        cli.make_app.cache_clear()


def test_in_a_narrow_window_nothing_is_cut_and_a_key_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    detail = "本年扶贫小额信贷发放金额过于集中：" * 8
    with console.out.capture() as captured:
        monkeypatch.setattr(console.out, "width", 80)
        console.print_table(
            ("case", "aspect", "detail"), [("A01-C02-5d18365b1757", "主体责任落实" * 5, detail)], whole="case"
        )
    lines = captured.get().splitlines()
    assert max(text_width(line) for line in lines) <= 80
    assert "A01-C02-5d18365b1757" in lines[1]
    assert "…" not in captured.get()
    assert captured.get().count("集") == detail.count("集")


def test_of_a_digest_wider_than_the_window_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "0a595351f7e6c36a" * 4
    with console.out.capture() as captured:
        monkeypatch.setattr(console.out, "width", 60)
        console.print_facts([("of", "K01 [甲]银行"), ("run", f"2019-06-r1, input {digest}")])
    assert max(text_width(line) for line in captured.get().splitlines()) <= 60
    assert "K01 [甲]银行" in captured.get()
    assert digest in "".join(captured.get().split())


def test_decimals_are_printed_as_json_without_an_exponent(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"quota": Decimal("0E-20"), "fund": Decimal("114.20")})
    assert json.loads(capsys.readouterr().out) == {"quota": "0.00000000000000000000", "fund": "114.20"}


@pytest.mark.integration
def test_check_needs_no_database_and_names_the_cell(tmp_path: Path) -> None:
    (tmp_path / "cover.csv").write_text("报表,行数,合计金额,零报送\nposition,1,100,否\n", encoding="gb18030")
    headers = (
        "县区代码,各项贷款余额,各项贷款年初余额,扶贫小额信贷年初余额,支农再贷款余额,支农再贷款展期金额,本年新产品个数"
    )
    (tmp_path / "position.csv").write_text(f"{headers}\n441702,100,90,五,0,0,1\n", encoding="gb18030")
    words = ("check", str(tmp_path), "--institution", "B01", "--period", "2019-06")
    nowhere = {"WAREHOUSE": "postgresql://nobody@127.0.0.1:1/none", "PII_KEY": "", "ARCHIVE_KEY": ""}
    result = run_installed(*words, "--json", **nowhere)
    assert result.returncode == 1, result.stderr
    (judgement,) = json.loads(result.stdout)
    assert judgement["verdict"] == "rejected"
    assert [(finding["rule"], finding["cell"], finding["value"]) for finding in judgement["findings"]] == [
        ("T02", "D2", "五")
    ]
    (tmp_path / "position.csv").write_text(f"{headers}\n441702,100,90,5,0,0,1\n", encoding="gb18030")
    assert run(*words, **nowhere).returncode == 0
