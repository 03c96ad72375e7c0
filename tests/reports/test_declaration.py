"""The declared reports against the spec's lists and against the migrated tables.

See docs/reports.md; docs/outputs.md#warehouse.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, text
from tests.refused_files import without_line

from five_precisions.errors import SetupError
from five_precisions.reports import Column, ColumnType, Report, ReportKind, Sensitivity, load_reports

# Counted by hand in docs/reports.md: number of headers, owners, kind, key, and the control total's header
# (docs/intake.md).
DECLARED = {
    "loans": (21, "金融精准扶贫贷款台账", "bank", "stock", "contract_no", "贷款余额"),
    "position": (7, "贷款与再贷款月报", "bank", "stock", "county_code", "各项贷款余额"),
    "visits": (9, "贫困户走访存档", "bank", "flow", "household_no visited_on", "需求金额"),
    "outreach": (9, "宣传培训活动", "bank county_office", "flow", "held_on town_code village kind", None),
    "grid": (9, "网格化管理责任表", "bank", "stock", "outlet_code town_code village", None),
    "matches": (6, "产业项目对接表", "bank", "stock", "project_no", "授信金额"),
    "households": (13, "建档立卡户名册", "county_office", "stock", "household_no", None),
    "projects": (12, "产业扶贫项目库", "county_office", "stock", "project_no", "资金需求"),
    "guarantee_funds": (7, "政府担保贴息资金", "county_office", "stock", "bank_code kind year", "实际到位金额"),
    "league": (5, "省内地市扶贫小额信贷情况", "centre", "stock", "city_code", "本年新发放金额"),
    "inspections": (9, "专项督查台账", "centre", "stock", "finding_no", None),
}
SENSITIVE = {
    ("loans", "borrower_name", "name"),
    ("loans", "borrower_id", "id"),
    ("loans", "payee_account", "account"),
    ("grid", "head_phone", "phone"),
    ("households", "head_name", "name"),
    ("households", "head_id", "id"),
}
OPTIONAL = {
    "loans": "household_no project_no payee_account",
    "position": "",
    "visits": "cadre wanted_amount conduct",
    "outreach": "village round team_size",
    "grid": "village resident_cadre letter_signed_on hotline",
    "matches": "credit_line reason",
    "households": "",
    "projects": "operator_id pushed_to",
    "guarantee_funds": "arrived_on",
    "league": "",
    "inspections": "mended_on remedy",
}
STORED = {
    ColumnType.TEXT: "text",
    ColumnType.DATE: "date",
    ColumnType.INT: "integer",
    ColumnType.YUAN: "numeric(18,2)",
    ColumnType.WAN: "numeric(18,2)",
    ColumnType.PCT: "numeric(9,4)",
    ColumnType.YESNO: "boolean",
    ColumnType.CHOICE: "text",
}
TECHNICAL = [("period", "text"), ("submission_id", "text"), ("delivered_by", "text"), ("row_number", "integer")]


def test_the_eleven_reports_are_declared_in_order() -> None:
    assert list(load_reports()) == list(DECLARED)


@pytest.mark.parametrize("code", DECLARED)
def test_a_report_is_declared_as_the_spec_lists_it(code: str) -> None:
    report = load_reports()[code]
    columns, title, owners, kind, key, control = DECLARED[code]
    assert len(report.columns) == columns
    assert report.title == title
    assert report.owners == tuple(owners.split())
    assert report.kind == ReportKind(kind)
    assert report.key == tuple(key.split())
    assert (report.control_column.header if report.control_column else None) == control
    assert {column.name for column in report.columns if column.optional} == set(OPTIONAL[code].split())
    headers = [column.header for column in report.columns]
    assert len(set(headers)) == len(headers)
    assert all(header == header.strip() for header in headers)


def test_sensitive_columns_are_those_of_the_spec() -> None:
    found = {
        (report.code, column.name, str(column.sensitive))
        for report in load_reports().values()
        for column in report.columns
        if column.sensitive
    }
    assert found == SENSITIVE


def expected_columns(report: Report) -> list[tuple[str, str, bool]]:
    """What the table must have: name, type, whether it may be null, in order."""
    expected = [(name, type_, False) for name, type_ in TECHNICAL]
    for column in report.columns:
        expected.append((column.name, STORED[column.type], column.optional))
        if column.hash_name:
            expected.append((column.hash_name, "text", column.optional))
    return expected


@pytest.mark.parametrize("code", DECLARED)
def test_the_migrated_table_holds_the_declared_columns(engine: Engine, code: str) -> None:
    query = text(
        "select attname, format_type(atttypid, atttypmod), not attnotnull from pg_attribute "
        "where attrelid = cast(:table as regclass) and attnum > 0 and not attisdropped order by attnum"
    )
    with engine.connect() as connection:
        table = [tuple(row) for row in connection.execute(query, {"table": f"core.delivered_{code}"})]
        view = [row[0] for row in connection.execute(query, {"table": f"core.{code}"})]
    assert table == expected_columns(load_reports()[code])
    assert view == [name for name, _, _ in table], "the view of what stands shows every column"


def test_the_schema_has_no_table_of_an_undeclared_report(engine: Engine) -> None:
    with engine.connect() as connection:
        names = connection.execute(text("select tablename from pg_tables where schemaname = 'core'")).scalars().all()
    assert sorted(names) == sorted(f"delivered_{code}" for code in load_reports())


def test_every_column_says_what_belongs_into_it() -> None:
    columns = [column for report in load_reports().values() for column in report.columns]
    assert len(columns) == sum(row[0] for row in DECLARED.values()) > 100
    assert all(column.expected for column in columns)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "choice"},
        {"type": "date", "of": ["甲"]},
        {"type": "text"},
        {"type": "number"},
        {"type": "int", "maximum": 5},
        {"type": "int", "code": True},
        {"type": "text", "max": 5, "public": True, "sensitive": "id"},
    ],
)
def test_a_column_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Column.model_validate({"header": "某列", "name": "some_column", **wrong})


SOUND = "loans: {title: 甲, owners: [bank], kind: stock, key: [a], columns: [{header: 甲, name: a, type: int}]}"


def test_a_sound_declaration_is_read(tmp_path: Path) -> None:
    file = tmp_path / "reports.yaml"
    file.write_text(SOUND, encoding="utf-8")
    assert list(load_reports(file)) == ["loans"]


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ("", "holds no names with values; compare it with the one in include/reference."),
        ("- loans", "holds no names with values; compare it with the one in include/reference."),
        ("loans: 5", "is wrong at loans: Input should be a valid dictionary or instance of Report."),
        ("loans: [", "cannot be read: did not find expected node content in line 2."),
        (
            SOUND.replace("[{header: 甲, name: a, type: int}]", "[]"),
            "is wrong at loans.columns: Tuple should have at least 1 item after validation, not 0.",
        ),
        (
            SOUND.replace("int}]", "int}, {header: 乙, name: a, type: int}]"),
            "is wrong at loans: report loans: a column name stands twice.",
        ),
        (
            SOUND.replace("int}]", "int}, {header: 甲, name: b, type: int}]"),
            "is wrong at loans.columns.1: the header 甲 stands twice.",
        ),
        (SOUND.replace("key: [a]", "key: [b]"), "is wrong at loans: report loans: no such column: b."),
        (SOUND.replace("key: [a]", "key: []"), "is wrong at loans.key: Tuple should have at least 1 item"),
        (SOUND.replace("key: [a]", "key: [a], control: b"), "is wrong at loans: report loans: no such column: b."),
        (SOUND.replace("stock", "weekly"), "is wrong at loans.kind: Input should be 'stock' or 'flow'."),
        (SOUND.replace("owners", "owner"), "is wrong at loans: owner is unknown; do you mean owners?"),
        (SOUND.replace("[bank]", "[shop]"), "is wrong at loans.owners.0: Input should be 'bank', "),
        (SOUND.replace("title", "kind: stock, title"), "cannot be read: kind stands there twice, again in line 1."),
        (SOUND.replace("type: int", "type: int, min: 5, max: 4"), "its smallest number is larger than its largest."),
        (SOUND.replace("type: int", "type: choice, of: [乙, 乙]"), "column a: a value is listed twice."),
    ],
)
def test_a_wrong_declaration_is_a_set_up_error(tmp_path: Path, declared: str, sentence: str) -> None:
    assert declared != SOUND
    file = tmp_path / "reports.yaml"
    file.write_text(declared, encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_reports(file)
    assert sentence in without_line(str(refused.value))
    assert str(refused.value).startswith(f"{file} ")
    assert "\n" not in str(refused.value)


def test_a_missing_declaration_is_a_set_up_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"none\.yaml cannot be read: No such file or directory\."):
        load_reports(tmp_path / "none.yaml")


def test_what_rows_are_found_by_is_kept_verbatim_and_what_people_write_is_not() -> None:
    texts = {
        column.name: column
        for report in load_reports().values()
        for column in report.columns
        if column.type is ColumnType.TEXT and not column.sensitive
    }
    prose = {name for name, column in texts.items() if column.is_prose}
    assert prose == {
        *("officer", "cadre", "village", "outlet_name", "head", "resident_cadre", "reason"),
        *("name", "operator", "operator_id", "city", "finding", "remedy"),
    }
    assert {name for name in texts if name.endswith(("_no", "_code"))} <= set(texts) - prose


def test_only_joined_columns_are_hashed() -> None:
    assert [s.is_hashed for s in (Sensitivity.ID, Sensitivity.ACCOUNT, Sensitivity.PHONE)] == [True] * 3
    assert not Sensitivity.NAME.is_hashed
