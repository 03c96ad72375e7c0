"""The register's files (docs/own-city.md#register-files)."""

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
    assert list(register.obligations_of(InstitutionKind.CENTRE)) == ["league", "inspections"]
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


def put_in(folder: Path, file: str, line: str, *, instead_of: str | None = None) -> int:
    """Write a line at the end of a file, or in the place of the one that begins so; its number."""
    path = folder / file
    lines = path.read_text(encoding="utf-8").splitlines()
    if instead_of is None:
        lines.append(line)
        number = len(lines)
    else:
        [at] = [at for at, each in enumerate(lines) if each.startswith(instead_of)]
        lines[at] = line
        number = at + 1
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return number


def refusal(folder: Path) -> str:
    """The sentence with which a register is refused."""
    with pytest.raises(SetupError) as raised:
        load_register(folder)
    sentence = str(raised.value)
    assert len(sentence.splitlines()) == 1
    assert sentence.endswith(".")
    return sentence


LONG = "C1030744000018A"
A_FAR_SERVICE = "dingtalk://" + "a" * 1000


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        # Cells
        (
            "institutions.csv",
            "B13,某银行,某行,shop,441700,0,2010-01-01,",
            "kind is 'shop'; it is one of bank, county_off",
        ),
        (
            "institutions.csv",
            "B13,某银行,某行,bank,441700,yes,2010-01-01,",
            "local_legal_person is 'yes'; it is 0 or 1.",
        ),
        ("institutions.csv", "B13,,某行,bank,441700,0,2010-01-01,", "name is empty."),
        ("institutions.csv", "B13,某银行,,bank,441700,0,2010-01-01,", "short_name is empty."),
        (
            "institutions.csv",
            f"B13,{'某' * 101},某行,bank,441700,0,2010-01-01,",
            "of 101 characters; it has at most 100.",
        ),
        (
            "institutions.csv",
            f"B13,某银行,{'某' * 31},bank,441700,0,2010-01-01,",
            "of 31 characters; it has at most 30.",
        ),
        ("institutions.csv", "B13,某银行,某行,bank,,0,2010-01-01,", "division_code is empty."),
        ("institutions.csv", "B13,某\x00银行,某行,bank,441700,0,2010-01-01,", "'name' holds U+0000, which nobody sees"),
        (
            "institutions.csv",
            "B13,某银行,某\u200b行,bank,441700,0,2010-01-01,",
            "'short_name' holds U+200B, which nobody",
        ),
        ("institutions.csv", 'B13,"某\n银行",某行,bank,441700,0,2010-01-01,', "'name' holds U+000A, which nobody sees"),
        ("institutions.csv", "B13,某\ufffd银行,某行,bank,441700,0,2010-01-01,", "'name' has lost a character (U+FFFD)"),
        (
            "institutions.csv",
            "B13,某银行,某行,bank,441700,0,2010-01-01,,x",
            "has more cells than the header has columns",
        ),
        ("institutions.csv", 'B13,"某"银行,某行,bank,441700,0,2010-01-01,', "does not read as CSV"),
        ("institutions.csv", 'B13,"某银行,某行,bank,441700,0,2010-01-01,', "does not read as CSV"),
        # Days
        (
            "institutions.csv",
            "B13,某银行,某行,bank,441700,0,2010-13-01,",
            "opened_on is '2010-13-01'; it is a day, YYYY",
        ),
        (
            "institutions.csv",
            "B13,某银行,某行,bank,441700,0,2010/1/1,",
            "opened_on is '2010/1/1'; it is a day, YYYY-MM",
        ),
        (
            "institutions.csv",
            "B13,某银行,某行,bank,441700,0,20100101,",
            "opened_on is '20100101'; it is a day, YYYY-MM-",
        ),
        (
            "institutions.csv",
            "B13,某银行,某行,bank,441700,0,0210-01-01,",
            "it is a day, YYYY-MM-DD, from 1900 to 2999.",
        ),
        ("institutions.csv", "B13,某银行,某行,bank,441700,0,,", "opened_on is ''; it is a day"),
        ("institutions.csv", "B13,某银行,某行,bank,441700,0,2010-01-01,never", "closed_on is 'never'; it is a day"),
        ("institutions.csv", "B13,某银行,某行,bank,441700,0,2010-01-02,2010-01-01", "it closes after it has opened."),
        ("institutions.csv", "B13,某银行,某行,bank,441700,0,2010-01-01,2010-01-01", "it closes after it has opened."),
        # Codes
        ("institutions.csv", ",某银行,某行,bank,441700,0,2010-01-01,", "code is empty."),
        (
            "institutions.csv",
            "../B13,某银行,某行,bank,441700,0,2010-01-01,",
            "code is '../B13'; it has letters A to Z, dig",
        ),
        (
            "institutions.csv",
            "B/13,某银行,某行,bank,441700,0,2010-01-01,",
            "code is 'B/13'; it has letters A to Z, digits",
        ),
        (
            "institutions.csv",
            "B\\13,某银行,某行,bank,441700,0,2010-01-01,",
            r"code is 'B\\13'; it has letters A to Z, dig",
        ),
        ("institutions.csv", "..,某银行,某行,bank,441700,0,2010-01-01,", "code is '..'; it has letters A to Z, digits"),
        ("institutions.csv", ".B13,某银行,某行,bank,441700,0,2010-01-01,", "code is '.B13'; it has letters A to Z"),
        ("institutions.csv", "-B13,某银行,某行,bank,441700,0,2010-01-01,", "and begins with a letter or a digit."),
        ("institutions.csv", "B 13,某银行,某行,bank,441700,0,2010-01-01,", "code is 'B 13'; it has letters A to Z"),
        ("institutions.csv", "B—13,某银行,某行,bank,441700,0,2010-01-01,", "code is 'B—13'; it has letters A to Z"),
        ("institutions.csv", "Ｂ13,某银行,某行,bank,441700,0,2010-01-01,", "code is 'Ｂ13'; it has letters A to Z"),
        ("institutions.csv", "银13,某银行,某行,bank,441700,0,2010-01-01,", "code is '银13'; it has letters A to Z"),
        ("institutions.csv", "1.03E+13,某银行,某行,bank,441700,0,2010-01-01,", "code is '1.03E+13'; it has letters"),
        ("institutions.csv", "B\x0713,某银行,某行,bank,441700,0,2010-01-01,", "'code' holds U+0007, which nobody sees"),
        ("institutions.csv", "nul,某银行,某行,bank,441700,0,2010-01-01,", "code is 'nul', a name that Windows keeps"),
        ("institutions.csv", "COM1,某银行,某行,bank,441700,0,2010-01-01,", "code is 'COM1', a name that Windows keeps"),
        ("institutions.csv", f"{LONG},某银行,某行,bank,441700,0,2010-01-01,", "the code of a bank has at most 14."),
        (
            "institutions.csv",
            f"{LONG},某,某,county_office,441702,0,2010-01-01,",
            "code of a county_office has at most 14.",
        ),
        ("institutions.csv", f"{'Z' * 21},某,某,centre,441700,0,2010-01-01,", "the code of a centre has at most 20."),
        (
            "institutions.csv",
            "B01,某银行,某行,bank,441700,0,2010-01-01,",
            "institution B01 more than once; see line 2.",
        ),
        (
            "institutions.csv",
            "b01,某银行,某行,bank,441700,0,2010-01-01,",
            "b01 differs from B01 in capital letters only",
        ),
        ("divisions.csv", "44170,某区,county,441700", "code is '44170'; the code of a county has 6 digits."),
        ("divisions.csv", "44170201,某镇,town,441702", "code is '44170201'; the code of a town has 9 digits."),
        ("divisions.csv", "４４１７９９,某区,county,441700", "the code of a county has 6 digits."),
        ("divisions.csv", "441799,某区,village,441700", "level is 'village'; it is one of city, county, town."),
        ("divisions.csv", "441702,某区,county,441700", "division 441702 more than once; see line 3."),
        # Where things lie
        (
            "institutions.csv",
            "B13,某银行,某行,bank,999999,0,2010-01-01,",
            "lies in '999999', which divisions.csv does no",
        ),
        (
            "institutions.csv",
            "B13,某,某,bank,441702001,0,2010-01-01,",
            "441702001, a town; a bank lies in a city or a co",
        ),
        ("institutions.csv", "C05,某,某,county_office,441700,0,2010-01-01,", "a county_office lies in a county."),
        ("institutions.csv", "C05,某,某,county_office,441702001,0,2010-01-01,", "a county_office lies in a county."),
        ("institutions.csv", "Z02,某,某,centre,441702,0,2010-01-01,", "441702, a county; a centre lies in a city."),
        (
            "institutions.csv",
            "C05,某,某,county_office,441702,1,2010-01-01,",
            "C05 is a county_office, and only a bank can",
        ),
        ("institutions.csv", "Z02,某,某,centre,441700,0,2010-01-01,", "Z02 is a second centre beside Z01;"),
        ("divisions.csv", "440000,某市,city,", "2 divisions of level city; it must have exactly one; see line 2."),
        ("divisions.csv", "441799100,某镇,town,441799", "has the parent '441799'; a town lies in a county"),
        ("divisions.csv", "441702999,某镇,town,441700", "has the parent '441700'; a town lies in a county"),
        ("divisions.csv", "441702999,某镇,town,", "has the parent nothing; a town lies in a county"),
        ("divisions.csv", "441702999,某镇,town,441704", "441704; a town's code begins with its county's."),
        # Contacts
        ("contacts.csv", "B99,x@example.test,contact", "belongs to 'B99', which institutions.csv does not have; B09"),
        ("contacts.csv", "b01,x@example.test,contact", "belongs to 'b01', which institutions.csv does not have; B01"),
        ("contacts.csv", "B01,x@example.test,friend", "role is 'friend'; it is one of contact, leader."),
        (
            "contacts.csv",
            "B01,b01@example.test,contact",
            "the contact B01 b01@example.test contact more than once; see",
        ),
        ("contacts.csv", "B01,B01@Example.test,contact", "the contact B01 B01@Example.test contact more than once"),
        ("contacts.csv", "B01,,contact", "address is empty."),
        ("contacts.csv", "B01,0662-1234567,contact", "address is '0662-1234567'; it is an email address or"),
        ("contacts.csv", "B01,某 <x@example.test>,contact", "address is '某 <x@example.test>'; it is an email addres"),
        ("contacts.csv", '"B01","x@example.test,y@example.test",contact', "it is an email address or an Apprise URL"),
        ("contacts.csv", "B01,x@@example.test,contact", "address is 'x@@example.test'; it is an email address or"),
        ("contacts.csv", "B01,x@,contact", "address is 'x@'; it is an email address or"),
        ("contacts.csv", "B01,x@163,contact", "address is 'x@163'; it is an email address or"),
        ("contacts.csv", "B01,x.@example.test,contact", "address is 'x.@example.test'; it is an email address or"),
        ("contacts.csv", "B01,陈@example.test,contact", "in ASCII characters and with nothing beside it."),
        (
            "contacts.csv",
            'B01,"x@example.test\nBcc: y@example.test",contact',
            "'address' holds U+000A, which nobody sees",
        ),
        ("contacts.csv", "B01,mailto:x@example.test,contact", "address is 'mailto…'; it is an email address or"),
        ("contacts.csv", "B01,nonesuch://abcdef,contact", "'nonesuch://…'; Apprise knows no such service."),
        ("contacts.csv", "B01,dingtlak://abcdef,contact", "knows no such service; dingtalk:// is near."),
        ("contacts.csv", "B01,dingtalk://,contact", "for something of what dingtalk:// needs is missing or wrong."),
        (
            "contacts.csv",
            'B01,"mailto://a:b@example.test?to=x@example.test,y@example.test",contact',
            "several recipients",
        ),
        ("contacts.csv", f"B01,{A_FAR_SERVICE},contact", "an Apprise URL has at most 1000 bytes."),
        # Obligations
        ("obligations.csv", "bank,letters,0", "report is 'letters', which is no report"),
        ("obligations.csv", "bank,loan,0", "report is 'loan', which is no report; loans is near."),
        ("obligations.csv", "bank,households,0", "households owed by a bank"),
        ("obligations.csv", "bank,loans,0", "obligation bank loans more than once; see line 2."),
        ("obligations.csv", "bank,league,2", "nil_allowed is '2'; it is 0 or 1."),
    ],
)
def test_a_wrong_line_is_refused_with_file_and_line(folder: Path, file: str, line: str, says: str) -> None:
    number = put_in(folder, file, line)
    sentence = refusal(folder)
    assert sentence.startswith(f"Line {number} of {folder / file}")
    assert says in sentence


@pytest.mark.parametrize(
    ("file", "header", "says"),
    [
        ("obligations.csv", "kind,report", "lacks the column nil_allowed."),
        ("obligations.csv", "kind,report,nil_alowed", "lacks the column nil_allowed; 'nil_alowed' is near."),
        ("obligations.csv", "Kind,report,nil_allowed", "lacks the column kind; 'Kind' is near."),
        (
            "obligations.csv",
            "kind,report,nil_allowed,remark",
            "Line 1 of {path} has the column 'remark', which is none",
        ),
        (
            "contacts.csv",
            "institution_code,address,role,fallback",
            "'fallback', which is none of this file; fallback_a",
        ),
        (
            "contacts.csv",
            "institution_code,address,role,role",
            "Line 1 of {path} has the column 'role' more than once.",
        ),
        ("contacts.csv", "institution_code;address;role", "Line 1 of {path} parts its cells with semicolons;"),
        ("contacts.csv", "institution_code\taddress\trole", "Line 1 of {path} parts its cells with tabs;"),
        ("contacts.csv", "institution_code,add\x00ress,role", r"Line 1 of {path}: 'add\x00ress' holds U+0000, which"),
    ],
)
def test_a_wrong_header_is_refused_by_the_name_of_the_column(folder: Path, file: str, header: str, says: str) -> None:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    (folder / file).write_text("\n".join([header, *lines[1:]]), encoding="utf-8")
    sentence = refusal(folder)
    assert says.format(path=folder / file) in sentence
    assert str(folder / file) in sentence


def test_the_line_is_where_an_entry_begins(folder: Path) -> None:
    file = folder / "contacts.csv"
    text = file.read_text(encoding="utf-8").replace("B02,", "\n ,\n\nB02,").replace("\n", "\r\n")
    file.write_bytes(f"\ufeff{text}B03,friend@example.test,friend\r\n".encode())
    assert refusal(folder).startswith(f"Line 24 of {file}: role is 'friend'")


@pytest.mark.parametrize(
    ("file", "keep", "says"),
    [
        ("institutions.csv", "kind|bank|county_office", "institutions.csv has no centre;"),
        ("institutions.csv", "kind|county_office|centre", "institutions.csv has no bank;"),
        ("divisions.csv", "code", "divisions.csv has 0 divisions of level city;"),
        (
            "obligations.csv",
            "kind|county_office|centre",
            "is a bank, and obligations.csv names no report that a bank owes.",
        ),
        ("obligations.csv", "kind|bank|centre", "is a county_office, and obligations.csv names no report"),
        ("obligations.csv", "kind", "and obligations.csv names no report"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, file: str, keep: str, says: str) -> None:
    (folder / "contacts.csv").write_text("institution_code,address,role\n", encoding="utf-8")
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not set(keep.split("|")).isdisjoint(line.split(","))]
    (folder / file).write_text("\n".join(kept), encoding="utf-8")
    sentence = refusal(folder)
    assert says in sentence
    assert str(folder) in sentence


@pytest.mark.parametrize(
    ("closed_on", "opened_on", "says"),
    [
        ("2019-05-31", "2019-05-31", None),
        ("2019-05-02", "2019-05-31", None),
        ("2019-05-31", "2019-05-02", None),
        ("2019-06-01", "2019-05-31", "Z02 is a second centre beside Z01"),
        ("2019-05-31", "2019-06-01", "Z02 opens after the month in which the centre before it, Z01, closes"),
        ("", "2019-06-01", "Z02 is a second centre beside Z01"),
    ],
)
def test_one_centre_follows_the_other(folder: Path, closed_on: str, opened_on: str, says: str | None) -> None:
    before = f"Z01,甲,甲,centre,441700,0,2010-01-01,{closed_on}"
    put_in(folder, "institutions.csv", before, instead_of="Z01")
    number = put_in(folder, "institutions.csv", f"Z02,乙,乙,centre,441700,0,{opened_on},")
    if says is None:
        register = load_register(folder)
        for month in range(1, 13):
            centres = [each for each in register.open_in(Period(2019, month)) if each.kind is InstitutionKind.CENTRE]
            assert len(centres) == 1
        return
    assert refusal(folder).startswith(f"Line {number} of {folder / 'institutions.csv'}: {says}")


def test_the_last_centre_does_not_close(folder: Path) -> None:
    number = put_in(folder, "institutions.csv", "Z01,甲,甲,centre,441700,0,2010-01-01,2019-06-30", instead_of="Z01")
    place = f"Line {number} of {folder / 'institutions.csv'}"
    assert refusal(folder).startswith(f"{place}: the centre Z01 closes and no other follows")


def test_what_a_register_may_say(folder: Path) -> None:
    put_in(folder, "institutions.csv", "C1030744000018,甲·银行（阳江）,甲行,bank,441702,1,1908-03-04,2019-03-31")
    put_in(folder, "institutions.csv", "co_M1-x,乙银行,𠮷行,bank,441700,0,2031-01-01")
    put_in(folder, "contacts.csv", "C1030744000018,o'brien+pb@mail-1.example.com.cn,contact")
    put_in(folder, "contacts.csv", "C1030744000018,o'brien+pb@mail-1.example.com.cn,leader")
    put_in(folder, "contacts.csv", "co_M1-x,ops@localhost,contact")
    put_in(folder, "contacts.csv", "co_M1-x,json://robot:a-token@127.0.0.1:8080/,contact")
    register = load_register(folder)
    bank = register.institution("C1030744000018")
    assert bank is not None
    assert (bank.division_code, bank.opened_on, bank.closed_on) == ("441702", date(1908, 3, 4), date(2019, 3, 31))
    assert register.institution("co_M1-x") is not None
    assert len(register.contacts) == 19 + 4


def test_columns_without_a_name_at_the_end_are_a_spreadsheets(folder: Path) -> None:
    file = folder / "obligations.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(f"{line},," for line in lines), encoding="utf-8")
    assert len(load_register(folder).obligations) == 12


def test_missing_file_missing_column_and_wrong_encoding(folder: Path) -> None:
    contacts = folder / "contacts.csv"
    contacts.write_bytes("institution_code,address,role\nB01,陈,contact\n".encode("gb18030"))
    with pytest.raises(SetupError, match="not UTF-8"):
        load_register(folder)
    contacts.write_text("institution_code,address\n", encoding="utf-8")
    with pytest.raises(SetupError, match="lacks the column role"):
        load_register(folder)
    contacts.write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="is empty; its first line names the columns institution_code, address, role"):
        load_register(folder)
    contacts.unlink()
    with pytest.raises(SetupError, match="cannot be read"):
        load_register(folder)
