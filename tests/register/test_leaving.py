"""Institutions that the register's files no longer name, as ops meet them on the command line (docs/outputs.md)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import close, collect
from five_precisions.errors import FivePrecisionsError, RefusedError, UsageError
from five_precisions.intake import read_status
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.reminders import post_reminders
from five_precisions.register import (
    InstitutionState,
    close_institution,
    find_undecided,
    list_institutions,
    load_register,
    save_register,
)
from five_precisions.settings import DEMO_REGISTER, PREFIX, Settings
from tests.command_line import assert_one_sentence, run
from tests.packages import put, sound_package

JUNE = Period(2019, 6)
MAY = date(2019, 5, 31)
ADVICE = "B02 南屿实业 is no longer in institutions.csv and owes its reports as before; write it in again"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A register of the test's own, which the commands load."""
    copied = Path(shutil.copytree(DEMO_REGISTER, tmp_path / "register"))
    monkeypatch.setenv(PREFIX + "REGISTER", str(copied))
    return copied


def edit(path: Path, change: Callable[[str], str | None]) -> None:
    """Change each line of a file, or take it out."""
    lines = map(change, path.read_text(encoding="utf-8").splitlines())
    path.write_text("".join(f"{line}\n" for line in lines if line is not None), encoding="utf-8")


def decide(engine: Engine, code: str, day: date = MAY, *, reason: str = "停业") -> None:
    close_institution(engine, code, closed_on=day, reason=reason, decided_by="ops")


def take_out(folder: Path, code: str) -> None:
    for name in ("institutions.csv", "contacts.csv"):
        edit(folder / name, lambda line: None if line.startswith(f"{code},") else line)


def save(engine: Engine, folder: Path) -> None:
    with engine.begin() as connection:
        save_register(connection, load_register(folder))


@pytest.fixture
def without_b02(register_saved_engine: Engine, folder: Path) -> Engine:
    """A warehouse whose register's files have lost a bank."""
    take_out(folder, "B02")
    save(register_saved_engine, folder)
    return register_saved_engine


def test_init_names_who_left_until_it_is_decided(without_b02: Engine, folder: Path) -> None:
    result = run("init")
    assert result.returncode == 0
    assert "16 institutions" in result.stdout
    assert result.stderr.startswith(ADVICE)
    assert "five-precisions register close B02 --on DATE --reason TEXT" in result.stderr
    result = run("register", "close", "B02", "--on", "2019-05-31", "--reason", "并入岭海通商")
    assert (result.returncode, result.stdout, result.stderr) == (0, "B02 南屿实业 is closed on 2019-05-31.\n", "")
    assert find_undecided(without_b02) == []
    shown = run("register", "list").stdout
    [line] = [line for line in shown.splitlines() if line.strip().startswith("B02") and "bank" in line]
    assert line.rstrip().endswith("closed on 2019-05-31, by decision")
    assert "并入岭海通商" in shown
    # The files hold where they name it again.
    shutil.copytree(DEMO_REGISTER, folder, dirs_exist_ok=True)
    assert run("init").stderr == "B02 南屿实业 is in institutions.csv again, which holds: it is open.\n"
    [bank] = [each for each in json.loads(run("register", "list", "--json").stdout) if each["code"] == "B02"]
    assert (bank["state"], bank["closed_on"], bank["is_closed_by_decision"]) == ("open", None, False)
    assert [closing["reason"] for closing in bank["closings"]] == ["并入岭海通商"], "it stays on record"


def test_a_division_that_left_is_named(register_saved_engine: Engine, folder: Path) -> None:
    edit(folder / "divisions.csv", lambda line: None if line.startswith("441702001,") else line)
    result = run("init")
    assert result.returncode == 0
    assert result.stderr.startswith("No longer in divisions.csv: 441702001 南恩街道; reports may still name them")


def test_the_matrix_marks_who_left_and_leaves_out_who_was_closed(
    without_b02: Engine, settings: Settings, tmp_path: Path
) -> None:
    put(Path(settings.inbox_address) / "2019-06" / "B02", sound_package("grid"))
    collect(without_b02, settings, JUNE, replay=True)
    close(without_b02, settings, JUNE, replay=True)
    shown = run("status", "2019-06").stdout
    [row] = [line for line in shown.splitlines() if line.strip().startswith("B02 ") and "missing" in line]
    assert "南屿实业 (no longer in the files)" in row
    assert "B02 is no longer in the register's files and owes its reports as before;" in shown
    assert shown.count("no longer in") == 2
    marked = {state.institution_code for state in read_status(without_b02, JUNE) if state.left_files}
    assert marked == {"B02"}

    result = run("register", "close", "B02", "--on", "2019-06-30", "--reason", "停业")
    assert result.stderr == "B02 南屿实业 has delivered for 2019-06, where it no longer counts.\n"
    assert "B02" not in {state.institution_code for state in read_status(without_b02, JUNE)}


def test_who_left_is_reminded_until_it_is_closed(without_b02: Engine, settings: Settings) -> None:
    month = Period.current().previous()
    collect(without_b02, settings, month)
    with without_b02.connect() as connection:
        deadline: datetime = connection.execute(text("select deadline_at from registry.period")).scalar_one()
    eve = deadline.astimezone(SHANGHAI) - timedelta(days=1, hours=12)
    decide(without_b02, "B02", month.next().begin)
    keys = post_reminders(without_b02, settings, now=eve)
    assert f"reminder/{month}/B02/b02@example.test" in {key.rpartition("/")[0] for key in keys}
    assert find_undecided(without_b02) == []
    decide(without_b02, "B02", month.end)
    keys = post_reminders(without_b02, settings, now=eve + timedelta(days=2))
    assert f"reminder/{month}/B01/b01@example.test" in {key.rpartition("/")[0] for key in keys}
    assert not any("/B02/" in key for key in keys)


def test_the_newest_decision_holds_and_each_stays_on_record(without_b02: Engine) -> None:
    for day in ("2019-05-31", "2019-06-30"):
        closed_on = datetime.fromisoformat(day).date()
        close_institution(without_b02, "B02", closed_on=closed_on, reason=f"于{day}停业", decided_by="ops\x00")
    [bank] = [each for each in list_institutions(without_b02) if each.code == "B02"]
    assert (str(bank.closed_on), bank.state, bank.is_closed_by_decision) == (
        "2019-06-30",
        InstitutionState.CLOSED,
        True,
    )
    assert [each.reason for each in bank.closings] == ["于2019-05-31停业", "于2019-06-30停业"]
    assert {each.decided_by for each in bank.closings} == {"ops?"}


def test_a_decision_from_before_it_came_back_does_not_hold(without_b02: Engine, folder: Path) -> None:
    decide(without_b02, "B02")
    shutil.copytree(DEMO_REGISTER, folder, dirs_exist_ok=True)
    save(without_b02, folder)
    take_out(folder, "B02")
    save(without_b02, folder)
    assert [each.code for each in find_undecided(without_b02)] == ["B02"]
    [bank] = [each for each in list_institutions(without_b02) if each.code == "B02"]
    assert (bank.state, bank.is_closed_by_decision, len(bank.closings)) == (InstitutionState.LEFT, False, 1)


@pytest.mark.parametrize(
    ("code", "day", "reason", "refusal", "sentence"),
    [
        ("B99", MAY, "停业", UsageError, "B99 is not an institution of the register;"),
        ("B\x00", MAY, "停业", UsageError, "is not an institution of the register;"),
        ("B01", MAY, "停业", RefusedError, "B01 岭海通商 stands in institutions.csv; write its closed_on there"),
        ("Z01", MAY, "停业", RefusedError, "Z01 中心支行 is a centre, which closes where the next one opens;"),
        ("B02", date(2010, 1, 1), "停业", UsageError, "B02 opened on 2010-01-01; it closes after that."),
        ("B02", date(2919, 1, 1), "停业", UsageError, "2919-01-01 lies more than a year ahead;"),
        ("B02", MAY, " ", UsageError, "An institution is closed for a reason; give it in a few words."),
    ],
)
def test_what_cannot_be_decided_is_one_sentence(
    without_b02: Engine, code: str, day: date, reason: str, refusal: type[FivePrecisionsError], sentence: str
) -> None:
    with without_b02.begin() as connection:
        connection.execute(text("update registry.institution set left_files_at = now() where code = 'Z01'"))
    before = list_institutions(without_b02)
    with pytest.raises(refusal, match=re.escape(sentence)):
        decide(without_b02, code, day, reason=reason)
    assert list_institutions(without_b02) == before


def test_the_command_refuses_whom_the_files_name(register_saved_engine: Engine) -> None:
    words = ("register", "close", "B01", "--on", "2019-05-31", "--reason", "停业")
    assert_one_sentence(run(*words), 1, "B01 岭海通商 stands in institutions.csv; write its closed_on there")


def test_another_citys_register_is_one_sentence(register_saved_engine: Engine, folder: Path) -> None:
    for name in ("divisions.csv", "institutions.csv"):
        edit(folder / name, lambda line: line.replace("441700", "440100").replace("阳江市", "广州市"))
    sentence = "The register is of 440100 广州市, and the warehouse of 441700 阳江市; a warehouse serves one city"
    assert_one_sentence(run("init"), 2, sentence)
    with register_saved_engine.connect() as connection:
        assert connection.execute(text("select code from registry.division where level = 'city'")).scalars().all() == [
            "441700"
        ]


def test_another_citys_register_does_not_even_migrate(empty_database_url: str, folder: Path) -> None:
    from sqlalchemy import create_engine

    from five_precisions.warehouse import migrate

    engine = create_engine(empty_database_url)
    migrate(engine)
    save(engine, folder)
    with engine.begin() as connection:
        connection.execute(text("drop table registry.closing"))
        for name in ("institution", "division"):
            connection.execute(text(f"alter table registry.{name} drop column left_files_at"))
        connection.execute(text("update alembic_version set version_num = '0014'"))
    for name in ("divisions.csv", "institutions.csv"):
        edit(folder / name, lambda line: line.replace("441700", "440100"))
    assert_one_sentence(run("init", WAREHOUSE=empty_database_url), 2, "a warehouse serves one city")
    with engine.connect() as connection:
        assert connection.execute(text("select version_num from alembic_version")).scalar_one() == "0014"
    engine.dispose()


def test_a_wrong_file_ends_init_with_its_line(empty_database_url: str, folder: Path) -> None:
    with (folder / "institutions.csv").open("a", encoding="utf-8") as file:
        file.write("../B13,某银行,某行,bank,441700,0,2010-01-01,\n")
    sentence = f"Line 19 of {folder}/institutions.csv: code is '../B13'"
    assert_one_sentence(run("init", WAREHOUSE=empty_database_url), 2, sentence)
