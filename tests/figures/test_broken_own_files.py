"""A broken own file ends every command that reads it: one sentence that names it, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.figures import assess
from five_precisions.own_files import VARIABLE
from five_precisions.settings import Settings
from tests.command_line import run
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import SmallCity
from tests.packages import put, sound_package

pytestmark = pytest.mark.integration

COMMANDS = {
    "init": "init",
    "check": "check {package} --institution B01 --period 2019-03",
    "template": "template --institution B01 --out {folder}/form.xlsx",
    "status": "status 2019-03",
    "collect": "collect 2019-03 --replay",
    "close": "close 2019-03 --replay",
    "assess": "assess 2019-02",
    "explain": "explain loan_balance --period 2019-01",
    "restate": "restate 2019-01 --reason why --preview",
    "cases": "cases list",
    "deadline": "deadline 2019-03",
    "settings": "settings",
}
WITH_WAREHOUSE = "init status collect close assess explain restate cases deadline"
READ_BY = {
    "reports.yaml": f"check template {WITH_WAREHOUSE}",
    "metrics.yaml": "init assess explain restate",
    "boards.yaml": "init assess restate",
    "indicators.yaml": "init assess restate",
    "scheme.yaml": "init assess restate",
    "scorecard.yaml": "init assess restate",
    "inspection.yaml": "init assess restate",
    "leads.yaml": "init assess restate",
    "targets.yaml": "init",
    "marks.yaml": "init check collect",
    "hotlines.yaml": "init check collect",
    "rates.csv": "init check collect",
    "holidays.csv": "init collect",
    "expectations/loans.json": "init check template collect",
    "sql/alerts/a05.sql": "init assess restate",
    "sql/checks/x01.sql": "init check collect assess restate",
    "sql/facts/loans.sql": "init assess explain restate",
    "sql/metrics/league.sql": "init assess explain restate",
    "sql/evidence/league.sql": "init",
    "sql/assessment/indicators/visits.sql": "init assess restate",
    "templates/mail/receipt.html": "init collect",
    "templates/mail/notice-bank.html": "init assess",
    "templates/bulletin/overview.txt": "init",
    "templates/bulletin/bulletin.typ": "init",
    "migrations/own_0001_form.py": WITH_WAREHOUSE,
    "sql/alert/a05.sql": "init check collect assess explain restate settings",
}
BROKEN = b"\xff{% if %}\nif:\n"


@pytest.fixture
def city(engine: Engine, settings: Settings) -> Settings:
    """January assessed, February closed, March open, with a package of B01 in the inbox."""
    with engine.begin() as connection:
        small = SmallCity(connection)
        for month in (JANUARY, FEBRUARY):
            small.open(month)
            small.deliver(month, "B01", loans=[{"contract_no": "L1"}, {"contract_no": "L2", "balance": 10000}])
            small.deliver(month, "C01", guarantee_funds=[{}])
            small.close(month)
    assess(engine, settings, JANUARY)
    package = Path(settings.inbox_address) / "2019-03" / "B01" / "v1"
    package.mkdir(parents=True)
    put(package, sound_package("loans"))
    contact = "insert into registry.contact (institution_code, address, role) values (:code, :address, 'contact')"
    with engine.begin() as connection:
        connection.execute(text(contact), {"code": "B01", "address": "b01@example.org"})
    return settings


def test_every_command_that_reads_a_broken_file_ends_with_one_sentence(
    city: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(city.inbox_address) / "2019-03" / "B01" / "v1"
    wrong = []
    for number, (name, commands) in enumerate(READ_BY.items()):
        folder = tmp_path / f"own-{number}"
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(BROKEN)
        monkeypatch.setenv(VARIABLE, str(folder))
        for command in commands.split():
            done = run(*COMMANDS[command].format(package=package, folder=tmp_path).split())
            said = done.stderr.strip().splitlines()
            if done.returncode != 2 or len(said) != 1 or str(folder) not in said[0]:
                wrong.append((name, command, done.returncode, done.stdout, said))
    assert wrong == [], "\n".join(map(str, wrong))
    # It was the file: without one the same command works on.
    monkeypatch.delenv(VARIABLE)
    assert run("assess", "2019-02").returncode == 0
    assert run("explain", "loan_balance", "--period", "2019-01").returncode == 0
