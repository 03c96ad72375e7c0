"""What holds of every cell and of every table, whatever stands in it.

See docs/reports.md#types; docs/intake.md#the-package.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from five_precisions.intake.reading.files import UnreadableFileError, read_file
from five_precisions.intake.reading.headers import normal_header
from five_precisions.intake.reading.layout import TableForm, lay_out
from five_precisions.intake.reading.marks import load_marks
from five_precisions.intake.reading.typed import read_rows
from five_precisions.reports import Column, ColumnType, load_reports
from five_precisions.reports.cells import (
    Cell,
    CellFault,
    Value,
    cell_text,
    plain_code,
    read_cell,
    read_cells,
    says_nothing,
)
from five_precisions.settings import Settings
from tests.fixtures.workbooks import WritableCell, ods, serial, xls, xlsb, xlsx

REPORTS = load_reports()
COLUMNS = [column for report in REPORTS.values() for column in report.columns]
KNOWN_HEADERS = {normal_header(column.header) for column in COLUMNS}
KINDS: dict[ColumnType, type] = {
    ColumnType.TEXT: str,
    ColumnType.CHOICE: str,
    ColumnType.DATE: date,
    ColumnType.INT: int,
    ColumnType.YUAN: Decimal,
    ColumnType.WAN: Decimal,
    ColumnType.PCT: Decimal,
    ColumnType.YESNO: bool,
}
WIDE_NUMBER = str.maketrans("0123456789.,+", "０１２３４５６７８９．，＋")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

any_cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(),
    st.sampled_from(["陈_xD842_文", "a_b", "Err:502", "#REF!", "合计", "是", "农户", "1.50", "00.1"]),
    st.text(alphabet="0123456789０１２３.,，-+/年月日eE'% \u3000\u200b"),
)
columns = st.sampled_from(COLUMNS)
amounts = st.decimals(0, 10**13, places=2)
days = st.dates(date(1950, 1, 1), date(2099, 12, 31))


def column_of(kind: ColumnType) -> Column:
    return next(column for column in COLUMNS if column.type is kind)


# Cells


@given(any_cell, columns, st.booleans())
def test_every_cell_reads_as_its_type_or_is_one_fault(cell: Cell, column: Column, epoch_1904: bool) -> None:
    result = read_cell(cell, column, epoch_1904=epoch_1904)
    if isinstance(result, CellFault):
        assert result.rule in {"T01", "T02", "T03", "T04", "T05"}
        assert result.message.endswith("。")
        assert (result.rule == "T01") == (not cell_text(cell))
    elif result is None:
        assert column.optional
        assert not cell_text(cell) or says_nothing(cell_text(cell))
    else:
        assert type(result) is KINDS[column.type]
        assert_within_bounds(result, column)


def assert_within_bounds(value: Value, column: Column) -> None:
    match value:
        case str():
            assert column.max is None or len(value) <= column.max
            assert not column.of or value in column.of
        case int() | Decimal():
            assert value >= column.min
            assert column.type is not ColumnType.PCT or value <= 100


@given(st.lists(any_cell, max_size=8), columns)
def test_a_column_reads_as_its_cells_do(cells: list[Cell], column: Column) -> None:
    values, faults = read_cells(cells, column)
    for position, cell in enumerate(cells):
        alone = read_cell(cell, column)
        assert faults.get(position, values[position]) == alone


@given(any_cell, columns)
def test_what_was_read_reads_as_itself(cell: Cell, column: Column) -> None:
    value = read_cell(cell, column)
    if isinstance(value, CellFault) or value is None:
        return
    written = {True: "是", False: "否"}[value] if isinstance(value, bool) else str(value)
    assert read_cell(written, column) == value


@given(st.one_of(amounts.map(str), days.map(date.isoformat), st.text(alphabet="ABCXYZ0123456789")), columns)
def test_full_width_is_half_width(text: str, column: Column) -> None:
    assert read_cell(text.translate(FULL_WIDTH), column) == read_cell(text, column) or column.type in (
        ColumnType.CHOICE,
        ColumnType.YESNO,
        ColumnType.TEXT,
    )
    if column.type is ColumnType.TEXT and text.isalnum():
        wide = read_cell(text.translate(FULL_WIDTH), column)
        half = read_cell(text, column)
        assert wide == half


@given(
    amounts,
    st.sampled_from(["{:f}", "{:,f}", "+{:f}", " {:f}\u3000", "'{:f}", "\ufeff{:,f}\r\n"]),
    st.booleans(),
    st.sampled_from([ColumnType.YUAN, ColumnType.WAN]),
)
def test_amounts_in_every_form_read_exactly(amount: Decimal, form: str, is_wide: bool, kind: ColumnType) -> None:
    text = form.format(amount)
    assert read_cell(text.translate(WIDE_NUMBER) if is_wide else text, column_of(kind)) == amount


@given(st.decimals(0, 10**12, places=2))
def test_number_cells_of_fifteen_digits_read_exactly(amount: Decimal) -> None:
    assert read_cell(float(amount), column_of(ColumnType.YUAN)) == amount


@given(st.decimals(0, 100, places=4), st.sampled_from(["{}", "{}%", "{}％", " {} %"]))
def test_percents_in_every_form_read_exactly(rate: Decimal, form: str) -> None:
    assert read_cell(form.format(rate), column_of(ColumnType.PCT)) == rate


@given(days, st.booleans())
def test_dates_in_every_form_are_that_day(day: date, epoch_1904: bool) -> None:
    column = column_of(ColumnType.DATE)
    number = serial(day, epoch_1904=epoch_1904)
    forms: list[Cell] = [
        day,
        datetime(day.year, day.month, day.day),  # noqa: DTZ001 - spreadsheets know no time zones
        day.isoformat(),
        day.strftime("%Y/%m/%d"),
        f"{day.year}/{day.month}/{day.day}",
        day.strftime("%Y%m%d"),
        f"{day.year}年{day.month}月{day.day}日",
        day.isoformat().translate(FULL_WIDTH),
        number,
        float(number),
        str(number),
    ]
    assert {read_cell(form, column, epoch_1904=epoch_1904) for form in forms} == {day}


# Tables

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\ufffd"), min_size=1, max_size=12
).filter(lambda text: cell_text(text) == text and not text.startswith(("#", "=")) and "_x" not in text)
gb_texts = st.text(st.sampled_from("陈大文村行ABC甲乙𠮷·0189,;\"' ￥"), min_size=1, max_size=8).filter(
    lambda text: cell_text(text) == text and bool(text)
)


@st.composite
def tables(draw: st.DrawFn, text: st.SearchStrategy[str] = gb_texts) -> list[list[WritableCell]]:
    """Rows of the report of projects: texts, choices, dates, amounts and whole numbers, some of them empty."""
    rows: list[list[WritableCell]] = []
    for number in range(draw(st.integers(1, 4))):
        row: list[WritableCell] = []
        for column in REPORTS["projects"].columns:
            match column.type:
                case ColumnType.TEXT:
                    row.append(f"T{number}" if column.max is None or column.max < 20 else draw(text))
                case ColumnType.CHOICE:
                    row.append(draw(st.sampled_from(column.of)))
                case ColumnType.DATE:
                    row.append(draw(days))
                case ColumnType.INT:
                    row.append(draw(st.integers(0, 10**6)))
                case _:
                    row.append(draw(st.integers(0, 10**8)) / 100)
        if draw(st.booleans()):
            row[-1] = None
        rows.append(row)
    return rows


titles = st.lists(st.sampled_from([["产业扶贫项目库"], ["单位：万元", None, "2019年6月"], []]), max_size=9)


def typed(name: str, content: bytes) -> list[list[Value]]:
    """The rows as the package reader types them; no cell of these is faulty."""
    report = REPORTS["projects"]
    (sheet,) = read_file(name, content, known_headers=KNOWN_HEADERS)
    rows = read_rows(report, sheet, lay_out(sheet, TableForm.of(report), load_marks(Settings(_env_file=None))))
    assert not any(rows.faults.values()), rows.faults
    return [list(row) for row in zip(*(rows.columns[column.name] for column in report.columns), strict=True)]


def expected(rows: list[list[WritableCell]]) -> list[list[Value]]:
    columns_of_report = REPORTS["projects"].columns
    return [[_kept(cell, column) for cell, column in zip(row, columns_of_report, strict=True)] for row in rows]


def _kept(cell: WritableCell, column: Column) -> Value:
    if column.type is ColumnType.WAN:
        return Decimal(str(cell)).quantize(Decimal("0.01"))
    if isinstance(cell, str):
        if column.optional and says_nothing(cell):
            return None
        return plain_code(cell) if column.code else cell
    return cell  # type: ignore[return-value]


def with_header(above: list[list[WritableCell]], rows: list[list[WritableCell]]) -> list[list[WritableCell]]:
    return [*above, [column.header for column in REPORTS["projects"].columns], *rows]


@pytest.mark.parametrize("write", [xlsx, xls, xlsb, ods], ids=lambda write: write.__name__)
@settings(max_examples=25)
@given(titles, tables(texts), st.booleans())
def test_workbooks_of_every_format_give_the_same_rows(
    write: Callable[..., bytes], above: list[list[WritableCell]], rows: list[list[WritableCell]], epoch_1904: bool
) -> None:
    content = write({"产业扶贫项目库": with_header(above, rows)}, epoch_1904=epoch_1904)
    assert typed(f"projects.{write.__name__}", content) == expected(rows)


@given(
    titles,
    tables(),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    st.sampled_from(",;\t"),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_csv_of_every_form_gives_the_same_rows(
    above: list[list[WritableCell]],
    rows: list[list[WritableCell]],
    encoding: str,
    delimiter: str,
    end: str,
    quoting: int,
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(with_header(above, rows))
    assert typed("projects.csv", text.getvalue().encode(encoding)) == expected(rows)


@given(st.binary(max_size=2000), st.sampled_from(["xlsx", "xls", "xlsb", "ods", "csv", "parquet"]))
def test_any_bytes_are_sheets_or_an_unreadable_file(content: bytes, suffix: str) -> None:
    heads = {"xlsx": b"PK\x03\x04", "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "parquet": b"PAR1"}
    try:
        sheets = read_file(f"x.{suffix}", heads.get(suffix, b"") + content, known_headers=KNOWN_HEADERS)
    except UnreadableFileError as error:
        sheets, message = [], str(error)
        assert message.endswith("。")
    assert all(isinstance(row, list) for sheet in sheets for row in sheet.rows)
