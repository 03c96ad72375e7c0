"""Obligations by date: who owes which report for which month, in the files and in the warehouse.

See docs/own-city.md#obligationscsv.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from five_precisions.errors import SetupError
from five_precisions.own_files import VARIABLE
from five_precisions.period import Period
from five_precisions.register import (
    Institution,
    InstitutionKind,
    Obligation,
    Register,
    load_register,
    read_register,
    save_register,
)
from five_precisions.reports import load_reports
from five_precisions.settings import DEMO_REGISTER, INCLUDE
from five_precisions.warehouse import migrate
from five_precisions.warehouse.schema import alembic_config
from tests.rows import rows

JUNE = Period(2019, 6)
BANK = InstitutionKind.BANK
OTHERS = ("county_office,households,0", "centre,league,0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO_REGISTER, tmp_path / "register"))


def owing(folder: Path, *lines: str) -> Register:
    """The demo's register with these obligations."""
    content = ["kind,report,nil_allowed,from,until,from_month", *lines, *OTHERS]
    (folder / "obligations.csv").write_text("\n".join(content), encoding="utf-8")
    return load_register(folder)


def bank(opened_on: date = date(2010, 1, 1), closed_on: date | None = None) -> Institution:
    return Institution("B01", "甲银行", "甲行", BANK, "441700", True, opened_on, closed_on)


def months_of(register: Register, report: str, institution: Institution | None = None) -> list[str]:
    """The months of 2019 for which an institution owes a report."""
    months = [Period(2019, month) for month in range(1, 13)]
    return [str(month)[5:] for month in months if report in register.owed_by(institution or bank(), month)]


# Which months


@pytest.mark.parametrize(
    ("line", "months"),
    [
        ("bank,loans,0", range(1, 13)),
        ("bank,loans,0,,,", range(1, 13)),
        ("bank,loans,0,2019-07", range(7, 13)),
        ("bank,loans,0,,2019-06", range(1, 7)),
        ("bank,loans,0,2019-03,2019-03", range(3, 4)),
        ("bank,loans,0,2018-12,2019-01", range(1, 2)),
        ("bank,loans,0,2020-01,", ()),
    ],
)
def test_a_report_is_owed_from_a_month_on_and_until_a_month(folder: Path, line: str, months: Sequence[int]) -> None:
    register = owing(folder, "bank,grid,0", line)
    assert months_of(register, "loans") == [f"{month:02}" for month in months]
    assert months_of(register, "grid") == [f"{month:02}" for month in range(1, 13)]


@pytest.mark.parametrize(
    ("opened_on", "closed_on", "line", "months"),
    [
        (date(2019, 5, 1), None, "bank,loans,0,,,1", range(5, 13)),
        (date(2019, 5, 31), None, "bank,loans,0,,,1", range(5, 13)),
        (date(2019, 5, 1), None, "bank,loans,0,,,2", range(6, 13)),
        (date(2019, 5, 31), None, "bank,loans,0,,,2", range(6, 13)),
        (date(2018, 12, 31), None, "bank,loans,0,,,2", range(1, 13)),
        (date(2018, 11, 30), None, "bank,loans,0,,,13", range(11, 13)),
        (date(2019, 5, 31), None, "bank,loans,0,2019-09,,2", range(9, 13)),
        (date(2019, 5, 31), None, "bank,loans,0,,2019-05,2", ()),
        (date(2019, 5, 31), date(2019, 8, 31), "bank,loans,0,,,2", range(6, 8)),
        (date(2019, 5, 31), date(2019, 6, 1), "bank,loans,0,,,2", ()),
    ],
)
def test_an_institution_owes_from_its_second_month_on(
    folder: Path, opened_on: date, closed_on: date | None, line: str, months: Sequence[int]
) -> None:
    register = owing(folder, "bank,grid,0", line)
    assert months_of(register, "loans", bank(opened_on, closed_on)) == [f"{month:02}" for month in months]


def test_a_report_is_owed_otherwise_from_a_month_on(folder: Path) -> None:
    register = owing(
        folder, "bank,outreach,0,2019-07,2019-09", "bank,loans,0", "bank,outreach,1,,2019-06", "bank,outreach,1,2019-11"
    )
    allowed = {
        month: register.owed_by(bank(), Period(2019, month)).get("outreach") for month in (1, 6, 7, 9, 10, 11, 12)
    }
    assert {month: each and each.nil_allowed for month, each in allowed.items()} == {
        1: True,
        6: True,
        7: False,
        9: False,
        10: None,
        11: True,
        12: True,
    }
    assert [str(each.from_period) for each in register.obligations_of(BANK)["outreach"]] == [
        "None",
        "2019-07",
        "2019-11",
    ]
    # The reports come as they are declared, whatever the order of the lines.
    assert list(register.owed_by(bank(), JUNE)) == ["loans", "outreach"]


def test_columns_of_dates_may_be_left_out_one_by_one(folder: Path) -> None:
    file = folder / "obligations.csv"
    lines = ["2019-07,bank,loans,0", ",bank,grid,1", *(f",{line}" for line in OTHERS)]
    file.write_text("\n".join(["from,kind,report,nil_allowed", *lines]), encoding="utf-8")
    register = load_register(folder)
    assert (months_of(register, "loans")[0], months_of(register, "grid")[0]) == ("07", "01")


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of our own that is in force from May to October 2019."""
    declared = """
training:
  title: 就业培训台账
  from: 2019-05
  until: 2019-10
  owners: [bank]
  kind: flow
  key: [row_no]
  columns:
    - {header: 编号, name: row_no, type: text, max: 9}
"""
    folder = tmp_path / "reference"
    folder.mkdir()
    ours = (INCLUDE / "reference" / "reports.yaml").read_text(encoding="utf-8")
    (folder / "reports.yaml").write_text(ours + declared, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(folder))


@pytest.mark.parametrize(
    ("line", "months"),
    [
        ("bank,training,0", range(5, 11)),
        ("bank,training,0,2019-01,2019-12", range(5, 11)),
        ("bank,training,0,2019-06", range(6, 11)),
        ("bank,training,0,,2019-06", range(5, 7)),
        ("bank,training,0,2019-10,2019-10", range(10, 11)),
    ],
)
def test_a_report_is_owed_within_its_life(folder: Path, training: None, line: str, months: Sequence[int]) -> None:
    register = owing(folder, "bank,grid,0", line)
    assert months_of(register, "training") == [f"{month:02}" for month in months]


@pytest.mark.parametrize("line", ["bank,training,0,2019-11", "bank,training,0,,2019-04"])
def test_an_obligation_beside_the_life_of_its_report_is_refused(folder: Path, training: None, line: str) -> None:
    with pytest.raises(SetupError) as refused:
        owing(folder, "bank,grid,0", line)
    assert str(refused.value) == (
        f"Line 3 of {folder / 'obligations.csv'}: training is in force from 2019-05 until 2019-10, in none of the "
        "months of this line."
    )


def test_a_report_that_two_lines_share_out_is_owed_within_its_life(folder: Path, training: None) -> None:
    register = owing(folder, "bank,grid,0", "bank,training,1,,2019-07", "bank,training,0,2019-08")
    assert [str(each.from_period) for each in register.obligations_of(BANK)["training"]] == ["2019-05", "2019-08"]
    assert months_of(register, "training") == ["05", "06", "07", "08", "09", "10"]


# Mistakes


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bank,loans,0,2019-7", "from is '2019-7'; it is a month, YYYY-MM, or empty."),
        ("bank,loans,0,2019-07-01", "from is '2019-07-01'; it is a month, YYYY-MM, or empty."),
        ("bank,loans,0,,1999-12", "until is '1999-12'; it is a month, YYYY-MM, or empty."),
        ("bank,loans,0,2019-07,2019-06", "until is 2019-06, which lies before from, 2019-07."),
        ("bank,loans,0,,,0", "from_month is '0'; it says from which of its months on an institution owes the report"),
        ("bank,loans,0,,,100", "from_month is '100'; it says from which"),
        ("bank,loans,0,,,-1", "from_month is '-1'; it says from which"),
        ("bank,loans,0,,,1.5", "from_month is '1.5'; it says from which"),
        ("bank,loans,0,,,2019-07", "from 1 to 99. A month of the calendar stands in from."),
        ("bank,grid,1", "the register has the obligation bank grid more than once; see line 2."),
        ("bank,visits,0,2019-06", "the obligation bank visits more than once for the same months; see line 3."),
        ("bank,visits,0,,2018-12", "the obligation bank visits more than once for the same months; see line 3."),
        ("bank,visits,0,,,3", "the obligation bank visits more than once for the same months; see line 3."),
        ("bank,letters,0,2019-07", "report is 'letters', which is no report."),
        ("bank,households,0,2019-07", "the register has households owed by a bank."),
    ],
)
def test_a_mistake_is_one_sentence_with_file_and_line(folder: Path, line: str, says: str) -> None:
    with pytest.raises(SetupError) as refused:
        owing(folder, "bank,grid,0", "bank,visits,1,,2019-06", line)
    assert str(refused.value).startswith(f"Line 4 of {folder / 'obligations.csv'}: ")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_month_without_any_report_is_refused(folder: Path) -> None:
    """Nothing could be closed from there on."""
    content = "kind,report,nil_allowed,from,until\n{}"
    ended = "bank,loans,0,2019-01,2019-03\ncounty_office,households,0,,2019-04\ncentre,league,0,2019-0{},\n"
    (folder / "obligations.csv").write_text(content.format(ended.format(7)), encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_register(folder)
    assert str(refused.value) == (
        f"Line 4 of {folder / 'obligations.csv'}: nobody owes a report from 2019-05 to 2019-06; months are closed in "
        "order, so each one wants a report that is owed."
    )
    (folder / "obligations.csv").write_text(content.format(ended.format(6)), encoding="utf-8")
    with pytest.raises(SetupError, match=r": nobody owes a report for 2019-05; months are closed in order"):
        load_register(folder)
    (folder / "obligations.csv").write_text(content.format(ended.format(5)), encoding="utf-8")
    assert len(load_register(folder).obligations) == 3


# The warehouse


def test_saved_read_back_and_saved_without_dates(register_saved_engine: Engine, folder: Path) -> None:
    dated = owing(folder, "bank,outreach,1,,2019-06", "bank,outreach,0,2019-07", "bank,matches,1,2019-02,2019-12,2")
    with register_saved_engine.begin() as connection:
        save_register(connection, dated)
        assert set(read_register(connection).obligations) == set(dated.obligations)
    assert rows(register_saved_engine, "select * from registry.obligation where kind = 'bank' order by 2, 4") == [
        ("bank", "matches", True, "2019-02", "2019-12", 2),
        ("bank", "outreach", False, "2019-07", None, 1),
        ("bank", "outreach", True, None, "2019-06", 1),
    ]
    with register_saved_engine.begin() as connection:
        save_register(connection, load_register(DEMO_REGISTER))
    dates = "select distinct from_period, until_period, from_month from registry.obligation"
    assert rows(register_saved_engine, dates) == [(None, None, 1)]


def a_period(draw: random.Random) -> Period:
    return Period(2018, 6).back(-draw.randrange(18))


def some_obligations(draw: random.Random, kind: InstitutionKind) -> list[Obligation]:
    """For each report of a kind none, one, or several that hold in different months."""
    found = []
    for report in (code for code, each in load_reports().items() if kind in each.owners):
        bounds = sorted({a_period(draw) for _ in range(draw.randrange(4))})
        begins = [None, *bounds]
        for begin, after in zip(begins, [*bounds, None], strict=True):
            if draw.random() < 0.7:
                until = None if after is None else after.previous()
                found.append(Obligation(kind, report, draw.random() < 0.5, begin, until, draw.choice((1, 1, 2, 3, 7))))
    return found


def some_register(draw: random.Random, register: Register) -> Register:
    def lives(each: Institution) -> Institution:
        if each.kind is InstitutionKind.CENTRE:
            return each
        opened_on = date(2018, 5, 30) + timedelta(days=draw.randrange(400))
        closed_on = opened_on + timedelta(days=draw.randrange(1, 300)) if draw.random() < 0.3 else None
        return replace(each, opened_on=opened_on, closed_on=closed_on)

    return replace(
        register,
        institutions=tuple(map(lives, register.institutions)),
        obligations=tuple(each for kind in InstitutionKind for each in some_obligations(draw, kind)),
    )


def test_the_warehouse_says_the_same_of_every_month(register_saved_engine: Engine) -> None:
    """Statements read `registry.expected_report`; what Python says of 30 random registers it says, too."""
    months = [Period(2018, 6).back(-after) for after in range(18)]
    demo, counted = load_register(DEMO_REGISTER), 0
    with register_saved_engine.begin() as connection:
        for month in months:
            connection.execute(text("insert into registry.period values (:period, now())"), {"period": str(month)})
        for seed in range(30):
            register = some_register(random.Random(seed), demo)
            save_register(connection, register)
            found = connection.execute(
                text("select period, institution_code, report, nil_allowed from registry.expected_report")
            )
            said = {
                (str(month), institution.code, report, obligation.nil_allowed)
                for month in months
                for institution in register.institutions
                for report, obligation in register.owed_by(institution, month).items()
            }
            listed = [tuple(row) for row in found]
            assert len(listed) == len(set(listed)), seed
            assert set(listed) == said, seed
            counted += len(said)
    assert counted > 10_000


def test_a_warehouse_of_before_dates_keeps_what_is_owed_last(register_saved_engine: Engine, folder: Path) -> None:
    dated = owing(folder, "bank,outreach,1,,2019-06", "bank,outreach,0,2019-07", "bank,loans,0,2019-02,,2")
    with register_saved_engine.begin() as connection:
        save_register(connection, dated)
    config = alembic_config()
    with register_saved_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0028")
    assert rows(register_saved_engine, "select * from registry.obligation where kind = 'bank' order by 2") == [
        ("bank", "loans", False),
        ("bank", "outreach", False),
    ]
    migrate(register_saved_engine)
    found = rows(register_saved_engine, "select report, from_period, from_month from registry.obligation order by 1")
    assert found == [("households", None, 1), ("league", None, 1), ("loans", None, 1), ("outreach", None, 1)]
