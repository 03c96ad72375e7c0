"""The empty workbook, filled in as a person or a program would: taken in without a finding.

See docs/intake.md#self-check.
"""

from __future__ import annotations

import dataclasses
import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from five_precisions.errors import RefusedError, UsageError
from five_precisions.forms.template import (
    COVER_HEADER_ROW,
    HEADER_ROW,
    ROWS_PREPARED,
    render_template,
    write_template,
)
from five_precisions.forms.template_notes import Need, column_notes
from five_precisions.intake.findings import Verdict
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS, COVER_TITLE, EXPLANATION_HEADERS, EXPLANATIONS_TITLE
from five_precisions.intake.ruleset import Ruleset
from five_precisions.period import Period
from five_precisions.register import Institution, InstitutionKind, Register
from five_precisions.reports import Column, ColumnType, Report, load_reports
from five_precisions.reports.declaration import DatedValue
from five_precisions.settings import Settings
from tests.packages import CREDIT_CODE, JUNE, OTHER_RESIDENT_ID, Cells, sound

pytestmark = pytest.mark.slow

FIRST = HEADER_ROW + 1
LONG_NUMBER = "441702199001011234"

SOUND: dict[str, list[Cells]] = {
    "loans": [
        sound("loans"),
        sound("loans", contract_no=LONG_NUMBER, borrower_id=OTHER_RESIDENT_ID, balance="31204.5"),
        sound(
            "loans",
            contract_no="HT-003",
            borrower_kind="企业",
            borrower_name="漠阳公司",
            borrower_id=CREDIT_CODE,
            household_no="",
            category="产业",
            microcredit="否",
            project_no="XM-1",
            payee_account="",
        ),
    ],
    "position": [sound("position"), sound("position", county_code="441704", all_loans="2000.5")],
    "visits": [sound("visits"), sound("visits", household_no="0012", wanted_amount="30000", conduct="")],
    "outreach": [sound("outreach")],
    "grid": [sound("grid")],
    "matches": [sound("matches")],
    "households": [sound("households")],
    "projects": [sound("projects")],
    "guarantee_funds": [sound("guarantee_funds")],
    "league": [sound("league")],
    "inspections": [sound("inspections")],
}
ONE_OF_EACH_KIND = ["B01", "C01", "Z01"]


def known(register: Register, code: str) -> Institution:
    institution = register.institution(code)
    assert institution is not None
    return institution


def owed(register: Register, code: str) -> list[Report]:
    return [load_reports()[report] for report in register.obligations_of(known(register, code).kind)]


def opened(register: Register, code: str) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(render_template(register, known(register, code))))


def typed(text: str, column: Column) -> object:
    """What a person types into the cell: a date, a number, or a text."""
    match column.type:
        case _ if not text:
            return None
        case ColumnType.DATE:
            return date.fromisoformat(text)
        case ColumnType.INT:
            return int(text)
        case ColumnType.YUAN | ColumnType.WAN | ColumnType.PCT:
            return float(text.replace(",", ""))
        case _:
            return text


def fill_in(book: Workbook, reports: Sequence[Report], *, nil: Sequence[str] = ()) -> None:
    """Rows into the sheets, and what the cover should say of them."""
    cover = book[COVER_TITLE]
    lines = {cover.cell(row, 1).value: row for row in range(COVER_HEADER_ROW + 1, cover.max_row + 1)}
    for report in reports:
        rows = [] if report.code in nil else SOUND[report.code]
        for number, cells in enumerate(rows, start=FIRST):
            for place, column in enumerate(report.columns, start=1):
                book[report.title].cell(number, place, typed(cells[column.name], column))
        line = lines[report.title]
        cover.cell(line, 2, len(rows))
        if report.control and rows:
            total = sum(Decimal(cells[report.control].replace(",", "") or 0) for cells in rows)
            cover.cell(line, 3, float(total))
        if report.code in nil:
            cover.cell(line, 4, "是")
    cover.cell(COVER_HEADER_ROW + 1, 5, "李某")
    cover.cell(COVER_HEADER_ROW + 1, 6, "0662-1234567")


def saved(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def filled_in(register: Register, code: str, nil: Sequence[str] = ()) -> bytes:
    book = opened(register, code)
    fill_in(book, owed(register, code), nil=nil)
    return saved(book)


def judge(content: bytes, ruleset: Ruleset, code: str, name: str = "报送.xlsx") -> JudgedPackage:
    return judge_package([DeliveredFile(name, content)], known(ruleset.register, code), ruleset)


def assert_taken_in(judged: JudgedPackage, reports: Sequence[Report]) -> None:
    assert [f"{finding.rule} {finding.cell} {finding.message}" for finding in judged.findings] == []
    assert judged.verdict is Verdict.ACCEPTED
    assert {report.report: (report.verdict, report.rows) for report in judged.reports} == {
        report.code: (Verdict.ACCEPTED, len(SOUND[report.code])) for report in reports
    }


def validation_of(sheet: Worksheet, cell: str) -> DataValidation:
    (validation,) = [each for each in sheet.data_validations.dataValidation if cell in each.sqref]
    return validation


def listed(book: Workbook, validation: DataValidation) -> list[object]:
    """The values of a drop-down list, written in or standing on the cover."""
    assert validation.type == "list"
    assert validation.formula1 is not None
    if validation.formula1.startswith('"'):
        return list(validation.formula1.strip('"').split(","))
    sheet, _, cells = validation.formula1.partition("!")
    return [cell.value for (cell,) in book[sheet.strip("'")][cells.replace("$", "")]]


# Taken in without a finding


@pytest.mark.parametrize("code", ONE_OF_EACH_KIND)
def test_what_is_filled_in_by_a_program_is_taken_in_without_a_finding(code: str, ruleset: Ruleset) -> None:
    judged = judge(filled_in(ruleset.register, code), ruleset, code)
    assert_taken_in(judged, owed(ruleset.register, code))
    assert judged.cover.submitter == "李某"


def test_a_long_number_typed_as_text_keeps_every_digit(ruleset: Ruleset) -> None:
    # The other reports are nil or, where that is not allowed, told so: they are not what is looked at.
    nil = [report.code for report in owed(ruleset.register, "B01") if report.code not in ("loans", "visits")]
    judged = judge(filled_in(ruleset.register, "B01", nil), ruleset, "B01")
    rows = {draft.report.code: draft.rows for draft in judged.drafts}
    loans, visits = rows["loans"], rows["visits"]
    assert loans is not None
    assert visits is not None
    assert LONG_NUMBER in loans.columns["contract_no"]
    assert "0012" in visits.columns["household_no"]


@pytest.fixture(scope="module")
def saved_by_office(ruleset: Ruleset, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], bytes]:
    """Filled-in workbooks by institution and format, as LibreOffice saves them."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed here")
    folder = tmp_path_factory.mktemp("office")
    for code in ONE_OF_EACH_KIND:
        (folder / f"{code}.xlsx").write_bytes(filled_in(ruleset.register, code))
    for suffix, codes in (("xlsx", ONE_OF_EACH_KIND), ("ods", ["B01"]), ("xls", ["B01"])):
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        command = [program, "--headless", profile, "--convert-to", suffix, "--outdir", str(folder / "saved")]
        subprocess.run(
            [*command, *(str(folder / f"{code}.xlsx") for code in codes)], check=True, capture_output=True, timeout=120
        )
    return lambda code, suffix: (folder / "saved" / f"{code}.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("code", "suffix"), [("B01", "xlsx"), ("B01", "ods"), ("B01", "xls"), ("C01", "xlsx"), ("Z01", "xlsx")]
)
def test_what_an_office_program_has_saved_is_taken_in_without_a_finding(
    code: str, suffix: str, ruleset: Ruleset, saved_by_office: Callable[[str, str], bytes]
) -> None:
    judged = judge(saved_by_office(code, suffix), ruleset, code, f"报送.{suffix}")
    assert_taken_in(judged, owed(ruleset.register, code))


def test_an_office_program_computes_that_cover_and_sheets_agree(
    ruleset: Ruleset, saved_by_office: Callable[[str, str], bytes]
) -> None:
    reports = owed(ruleset.register, "B01")
    book = openpyxl.load_workbook(io.BytesIO(saved_by_office("B01", "xlsx")), data_only=True)
    checks = [book[COVER_TITLE].cell(COVER_HEADER_ROW + number, 10).value for number in range(1, len(reports) + 1)]
    assert checks == ["一致"] * len(reports)
    # Drop-down lists outlive the office program.
    assert all(book[report.title].data_validations.dataValidation for report in reports)


def test_nil_returns_are_taken_in_without_a_finding(ruleset: Ruleset) -> None:
    nil = ["visits", "outreach", "matches"]
    judged = judge(filled_in(ruleset.register, "B01", nil), ruleset, "B01")
    assert list(judged.findings) == []
    assert {report.report for report in judged.reports if report.verdict is Verdict.NIL} == set(nil)
    assert judged.verdict is Verdict.ACCEPTED


def test_an_explanation_is_taken_in_with_the_template(ruleset: Ruleset) -> None:
    book = opened(ruleset.register, "B01")
    fill_in(book, owed(ruleset.register, "B01"))
    for place, text in enumerate(("金融精准扶贫贷款台账", "L10", "HT-001", "两户联保"), start=1):
        book[EXPLANATIONS_TITLE].cell(FIRST, place, text)
    judged = judge(saved(book), ruleset, "B01")
    assert list(judged.findings) == []
    (explanation,) = judged.explanations
    assert (explanation.report, explanation.rule, explanation.key) == ("loans", "L10", "HT-001")


def test_an_empty_template_is_told_what_is_missing(ruleset: Ruleset) -> None:
    judged = judge(render_template(ruleset.register, known(ruleset.register, "B01")), ruleset, "B01")
    assert judged.verdict is Verdict.REJECTED
    assert {finding.rule for finding in judged.findings} == {"F04"}
    assert len(judged.findings) == len(owed(ruleset.register, "B01"))


def test_a_wrong_cell_of_a_filled_in_template_is_still_found(ruleset: Ruleset) -> None:
    book = opened(ruleset.register, "B01")
    fill_in(book, owed(ruleset.register, "B01"))
    book["贷款与再贷款月报"]["A6"] = "999999"
    (finding,) = judge(saved(book), ruleset, "B01").findings
    assert (finding.rule, finding.sheet, finding.cell) == ("P01", "贷款与再贷款月报", "A6")


# What it holds


@pytest.mark.parametrize("code", ONE_OF_EACH_KIND)
def test_a_sheet_for_each_owed_report_has_its_headers(code: str, register: Register) -> None:
    book = opened(register, code)
    reports = owed(register, code)
    assert reports
    assert book.sheetnames == [COVER_TITLE, *(report.title for report in reports), EXPLANATIONS_TITLE]
    for report in reports:
        headers = [cell.value for cell in book[report.title][HEADER_ROW]]
        assert headers == [column.header for column in report.columns]
    cover = book[COVER_TITLE]
    assert tuple(cell.value for cell in cover[COVER_HEADER_ROW])[: len(COVER_HEADERS)] == COVER_HEADERS
    lines = [cover.cell(COVER_HEADER_ROW + number, 1).value for number in range(1, len(reports) + 1)]
    assert lines == [report.title for report in reports]
    assert [cell.value for cell in book[EXPLANATIONS_TITLE][HEADER_ROW]] == list(EXPLANATION_HEADERS)


@pytest.mark.parametrize("code", ONE_OF_EACH_KIND)
def test_columns_are_formatted_and_checked_as_declared(code: str, register: Register) -> None:
    book = opened(register, code)
    formats = {
        ColumnType.TEXT: "@",
        ColumnType.CHOICE: "@",
        ColumnType.YESNO: "@",
        ColumnType.DATE: "yyyy-mm-dd",
        ColumnType.INT: "0",
        ColumnType.YUAN: "#,##0.00",
        ColumnType.WAN: "#,##0.00",
        ColumnType.PCT: "0.00##",
    }
    for report in owed(register, code):
        sheet = book[report.title]
        for place, column in enumerate(report.columns, start=1):
            letter = get_column_letter(place)
            # Columns alike stand in the file as one run, which openpyxl keeps under its first letter.
            (run,) = [each for each in sheet.column_dimensions.values() if each.min <= place <= each.max]
            assert run.number_format == formats[column.type], column.header
            assert sheet.cell(FIRST, place).number_format == formats[column.type], column.header
            validation = validation_of(sheet, f"{letter}{FIRST}")
            assert validation is validation_of(sheet, f"{letter}{FIRST + ROWS_PREPARED - 1}")
            if column.type is ColumnType.YESNO:
                assert listed(book, validation) == ["是", "否"]
            elif column.type is ColumnType.CHOICE:
                assert tuple(listed(book, validation)) == column.of
            elif column.type is ColumnType.TEXT and validation.type != "list":
                assert (validation.type, validation.formula1) == ("textLength", str(column.max))


def test_code_columns_offer_the_codes_of_the_register(register: Register) -> None:
    bank, office, centre = (opened(register, code) for code in ONE_OF_EACH_KIND)
    towns = [division.code for division in register.divisions if division.level == "town"]
    own_towns = [each.code for each in register.divisions if each.level == "town" and each.parent_code == "441702"]
    banks = [each.code for each in register.institutions if each.kind is InstitutionKind.BANK]
    assert len(towns) > len(own_towns) > 0
    assert listed(bank, validation_of(bank["金融精准扶贫贷款台账"], f"H{FIRST}")) == sorted(towns)
    assert listed(bank, validation_of(bank["网格化管理责任表"], f"C{FIRST}")) == sorted(towns)
    assert listed(bank, validation_of(bank["贷款与再贷款月报"], f"A{FIRST}")) == [
        "441702",
        "441704",
        "441721",
        "441781",
    ]
    assert listed(office, validation_of(office["建档立卡户名册"], f"D{FIRST}")) == sorted(own_towns)
    assert listed(office, validation_of(office["建档立卡户名册"], f"M{FIRST}")) == banks
    assert listed(office, validation_of(office["政府担保贴息资金"], f"A{FIRST}")) == banks
    everyone = [institution.code for institution in register.institutions]
    assert listed(centre, validation_of(centre["专项督查台账"], f"B{FIRST}")) == everyone


def test_a_code_that_is_newer_than_the_template_is_asked_about_and_not_refused(register: Register) -> None:
    book = opened(register, "B01")
    sheet = book["金融精准扶贫贷款台账"]
    assert validation_of(sheet, f"H{FIRST}").errorStyle == "warning"
    assert validation_of(sheet, f"F{FIRST}").errorStyle in (None, "stop")


def test_nil_return_is_offered_only_where_it_is_allowed(register: Register) -> None:
    book = opened(register, "B01")
    cover = book[COVER_TITLE]
    offered = {
        cover.cell(row, 1).value: listed(book, validation_of(cover, f"D{row}"))
        for row in range(COVER_HEADER_ROW + 1, COVER_HEADER_ROW + 7)
    }
    assert offered["贫困户走访存档"] == ["是", "否"]
    assert offered["金融精准扶贫贷款台账"] == ["否"]


def test_headers_explain_themselves(register: Register) -> None:
    book = opened(register, "B01")
    sheet = book["金融精准扶贫贷款台账"]
    comments = {cell.value: cell.comment.text for cell in sheet[HEADER_ROW] if cell.comment}
    assert set(comments) == {column.header for column in load_reports()["loans"].columns}
    assert "L03（错误，退回）：贷款余额大于发放金额" in comments["贷款余额"]
    assert "4417**********1234" in comments["证件号码"]
    assert "表内不得重复" in comments["合同编号"]
    assert "{" not in "".join(comments.values())
    needs = {notes.column.name: notes.need for notes in column_notes(load_reports()["loans"], JUNE)}
    assert (needs["household_no"], needs["project_no"]) == (Need.SOMETIMES, Need.NEVER)
    grid = {notes.column.name: notes.need for notes in column_notes(load_reports()["grid"], JUNE)}
    assert grid["hotline"] is Need.ADVISED
    visits = {notes.column.name: notes.need for notes in column_notes(load_reports()["visits"], JUNE)}
    assert (visits["wanted_amount"], visits["household_no"]) == (Need.ADVISED_SOMETIMES, Need.ALWAYS)


@pytest.mark.parametrize("code", ONE_OF_EACH_KIND)
def test_nothing_is_longer_than_excel_opens(code: str, register: Register) -> None:
    book = opened(register, code)
    validations = [each for sheet in book for each in sheet.data_validations.dataValidation]
    assert len(validations) > 10
    for sheet in book:
        assert len(sheet.title) <= 31
    for validation in validations:
        assert len(validation.promptTitle or "") <= 32
        assert len(validation.errorTitle or "") <= 32
        assert len(validation.prompt or "") <= 255
        assert len(validation.error or "") <= 255
        assert len(validation.formula1 or "") <= 257  # with its quotation marks
    assert max(sheet.max_column for sheet in book) <= 200


def test_a_choice_too_long_for_a_validation_stands_in_the_code_table(register: Register) -> None:
    declared = load_reports()
    purposes = tuple(f"资金用途之第{number:03d}种" for number in range(40))
    columns = tuple(
        column.model_copy(update={"choices": tuple(DatedValue(value=each) for each in purposes)})
        if column.name == "purpose"
        else column
        for column in declared["loans"].columns
    )
    reports = {**declared, "loans": declared["loans"].model_copy(update={"columns": columns})}
    content = render_template(register, known(register, "B01"), reports)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert tuple(listed(book, validation_of(book["金融精准扶贫贷款台账"], f"N{FIRST}"))) == purposes


def test_there_are_no_macros_and_no_links_to_outside(register: Register) -> None:
    with zipfile.ZipFile(io.BytesIO(render_template(register, known(register, "B01")))) as archive:
        names = archive.namelist()
        relations = "".join(archive.read(name).decode() for name in names if name.endswith(".rels"))
    assert "xl/workbook.xml" in names
    assert not [name for name in names if "vba" in name.lower() or "external" in name.lower()]
    assert 'TargetMode="External"' not in relations


# Written to a file


def test_the_same_register_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.xlsx", tmp_path / "new folder" / "other.xlsx"
    write_template(Settings(), "B01", one)
    write_template(Settings(), "B01", other)
    assert one.read_bytes() == other.read_bytes()
    write_template(Settings(), "B01", one)


@pytest.mark.parametrize(("period", "named"), [(None, []), (JUNE, ["2019年6月"])])
def test_the_cover_names_institution_and_month(tmp_path: Path, period: Period | None, named: list[str]) -> None:
    path = tmp_path / "B01.xlsx"
    write_template(Settings(), "B01", path, period)
    (row,) = openpyxl.load_workbook(path)["报送说明"].iter_rows(min_row=2, max_row=2, values_only=True)
    assert [cell for cell in row if cell] == ["填报机构：岭海通商银行阳江分行（B01）", "报送月份", *named]


@pytest.mark.parametrize("month", range(1, 13))
def test_the_notes_of_the_template_name_no_month(month: int, register: Register, ruleset: Ruleset) -> None:
    content = render_template(register, known(register, "B01"))
    own = dataclasses.replace(ruleset, period=Period(2019, month))
    judged = judge_package([DeliveredFile("报表.xlsx", content)], known(register, "B01"), own)
    assert {finding.rule for finding in judged.findings} == {"F04"}


def test_the_template_of_another_month_or_institution_is_told_apart(register: Register, ruleset: Ruleset) -> None:
    bank = known(register, "B01")
    for period, code, says in (
        (Period(2019, 5), "B01", "这像是2019年5月的报表，放进了2019年6月"),
        (JUNE, "B02", "这像是岭海通商银行阳江分行的报表，放进了南屿实业银行阳江分行的文件夹"),
    ):
        content = render_template(register, bank, period=period)
        judged = judge_package([DeliveredFile("报表.xlsx", content)], known(register, code), ruleset)
        assert [finding.rule for finding in judged.findings] == ["F13"]
        assert judged.findings[0].message.startswith(says)


def test_a_filled_in_workbook_is_not_overwritten(tmp_path: Path, register: Register) -> None:
    path = tmp_path / "B01.xlsx"
    content = filled_in(register, "B01")
    path.write_bytes(content)
    with pytest.raises(RefusedError, match="may be filled in"):
        write_template(Settings(), "B01", path)
    assert path.read_bytes() == content


def test_an_unknown_institution_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="B99 is not an institution"):
        write_template(Settings(), "B99", tmp_path / "B99.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_an_institution_that_owes_nothing_is_told_so(register: Register) -> None:
    with pytest.raises(UsageError, match="B01 owes no report"):
        render_template(dataclasses.replace(register, obligations=()), known(register, "B01"))


def test_a_path_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"should end in \.xlsx"):
        write_template(Settings(), "B01", tmp_path / "B01.xls")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(UsageError, match="cannot be written"):
        write_template(Settings(), "B01", tmp_path / "file" / "B01.xlsx")
