"""The register's files (spec/05, Register files)."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.register import DivisionLevel, InstitutionKind, load_register
from five_precisions.settings import Settings

DEMO: Path = Settings.model_fields["register_folder"].default


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "register"))


def test_demo_register() -> None:
    register = load_register(DEMO)
    june = Period(2019, 6)
    assert [each.code for each in register.open_in(june)][:2] == ["B01", "B02"]
    assert len(register.open_in(june)) == 17
    assert list(register.owed_by(InstitutionKind.CENTRE)) == ["league", "inspections"]
    assert register.division_codes(DivisionLevel.COUNTY) == ["441702", "441704", "441721", "441781"]


def test_open_means_open_on_the_last_day(folder: Path) -> None:
    file = folder / "institutions.csv"
    text = file.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("B12"))
    file.write_text(text.replace(line, line.replace("2010-01-01,", "2019-03-31,2019-06-30")), encoding="utf-8")
    bank = load_register(folder).institution("B12")
    assert bank is not None
    assert bank.closed_on == date(2019, 6, 30)
    assert [bank.is_open_in(Period(2019, month)) for month in (2, 3, 5, 6)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        ("institutions.csv", "B13,某银行,某行,shop,441700,0,2010-01-01,", "kind is 'shop'"),
        ("institutions.csv", "B01,某银行,某行,bank,441700,0,2010-01-01,", "institution B01 more than once"),
        ("institutions.csv", "B13,某银行,某行,bank,999999,0,2010-01-01,", "999999"),
        ("institutions.csv", "B13,某银行,某行,bank,441700,yes,2010-01-01,", "local_legal_person is 'yes'"),
        ("institutions.csv", "B13,某银行,某行,bank,441700,0,2010-13-01,", "opened_on is '2010-13-01'"),
        ("institutions.csv", "B13,,某行,bank,441700,0,2010-01-01,", "name is empty"),
        ("divisions.csv", "440000,某市,city,", "2 divisions of level city"),
        ("divisions.csv", "441799100,某镇,town,441799", "441799"),
        ("divisions.csv", "441702999,某镇,town,441700", "a town lies in a county"),
        ("divisions.csv", "441702999,某镇,town,441704", "441702999 .* begins with its county's"),
        ("divisions.csv", "441702,某区,county,441700", "division 441702 more than once"),
        ("contacts.csv", "B99,x@example.test,contact", "B99"),
        ("contacts.csv", "B01,x@example.test,friend", "role is 'friend'"),
        ("contacts.csv", "B01,0662-1234567,contact", "address is '0662-1234567'; it is an email address or"),
        ("obligations.csv", "bank,letters,0", "letters"),
        ("obligations.csv", "bank,households,0", "households owed by a bank"),
        ("obligations.csv", "bank,loans,0", "obligation bank loans more than once"),
    ],
)
def test_wrong_line_is_one_sentence(folder: Path, file: str, line: str, says: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as end:
        end.write(line + "\n")
    with pytest.raises(SetupError, match=says) as raised:
        load_register(folder)
    assert str(raised.value).count("\n") == 0


def test_missing_file_missing_column_and_wrong_encoding(folder: Path) -> None:
    contacts = folder / "contacts.csv"
    contacts.write_bytes("institution_code,address,role\nB01,陈,contact\n".encode("gb18030"))
    with pytest.raises(SetupError, match="not UTF-8"):
        load_register(folder)
    contacts.write_text("institution_code,address\n", encoding="utf-8")
    with pytest.raises(SetupError, match="lacks the column role"):
        load_register(folder)
    contacts.unlink()
    with pytest.raises(SetupError, match="cannot be read"):
        load_register(folder)
