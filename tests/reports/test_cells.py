"""Reading of cells (docs/reports.md#types; docs/intake.md#bad-input)."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.reports import Column, ColumnType, Sensitivity
from five_precisions.reports.cells import (
    EXCEL_ERRORS,
    Cell,
    CellFault,
    cell_text,
    read_cell,
    read_cells,
    says_nothing,
)

COLUMNS: dict[ColumnType, dict[str, Any]] = {
    ColumnType.TEXT: {"max": 18},
    ColumnType.DATE: {},
    ColumnType.INT: {},
    ColumnType.YUAN: {},
    ColumnType.WAN: {},
    ColumnType.PCT: {},
    ColumnType.YESNO: {},
    ColumnType.CHOICE: {"of": ("农户", "企业", "合作社")},
}


def column(type_: str, **bounds: Any) -> Column:
    kind = ColumnType(type_)
    return Column(header="某列", name="some_column", type=kind, **(COLUMNS[kind] | bounds))


def fault_of(cell: Cell, of: Column, *, epoch_1904: bool = False) -> CellFault:
    result = read_cell(cell, of, epoch_1904=epoch_1904)
    assert isinstance(result, CellFault), f"{cell!r} was read as {result!r}"
    return result


# --- amounts ------------------------------------------------------------------------------------------------

AMOUNTS = [
    ("0", "0.00"),
    (0, "0.00"),
    ("-0", "0.00"),
    (-0.0, "0.00"),
    ("1", "1.00"),
    ("1.", "1.00"),
    ("1.5", "1.50"),
    ("+1.5", "1.50"),
    ("1.50000", "1.50"),
    (" 1.5\u00a0", "1.50"),
    ("\u30001.5\r\n", "1.50"),
    ("'1.5", "1.50"),
    ("1,234.56", "1234.56"),
    ("31,204,500.00", "31204500.00"),
    ("１，２３４．５６", "1234.56"),
    ("１２３４．５", "1234.50"),
    (0.1 + 0.2, "0.30"),
    (1234.56, "1234.56"),
    (1e7, "10000000.00"),
    (50000, "50000.00"),
    ("100000000000000", "100000000000000.00"),
]


@pytest.mark.parametrize("type_", ["yuan", "wan"])
@pytest.mark.parametrize(("cell", "value"), AMOUNTS)
def test_amounts_are_read_exactly(cell: Cell, value: str, type_: str) -> None:
    result = read_cell(cell, column(type_))
    assert isinstance(result, Decimal)
    assert str(result) == value


@pytest.mark.parametrize(
    ("cell", "rule", "says"),
    [
        ("0.001", "T02", "四舍五入到2位小数"),
        (1.005, "T02", "四舍五入到2位小数"),
        (0.1 + 0.2 + 1e-5, "T02", "四舍五入到2位小数"),
        ("0." + "0" * 60 + "1", "T02", "四舍五入到2位小数"),
        ("-0.01", "T05", "超出范围"),
        (-1, "T05", "超出范围"),
        ("－５", "T05", "超出范围"),
        ("100000000000000.01", "T05", "超出范围"),
        ("9" * 5000, "T05", "超出范围"),
        (1e300, "T05", "超出范围"),
        ("1.2E+05", "T02", "科学记数法"),
        ("1e5", "T02", "科学记数法"),
        ("12,34", "T02", "不是数字"),
        ("1,2345", "T02", "不是数字"),
        ("1.2.3", "T02", "不是数字"),
        ("1.234,56", "T02", "不是数字"),
        (".", "T02", "不是数字"),
        ("-", "T02", "不是数字"),
        ("100元", "T02", "不要带单位或文字"),
        ("￥100", "T02", "不要带单位或文字"),
        ("一百", "T02", "不是数字"),
        ("10²", "T02", "不是数字"),
        ("①", "T02", "不是数字"),
        ("٣", "T02", "不是数字"),
        ("NaN", "T02", "不是数字"),
        ("Infinity", "T02", "不是数字"),
        (math.inf, "T02", "不是数字"),
        (True, "T02", "不是数字"),
        (False, "T02", "不是数字"),
        (date(2019, 6, 30), "T02", "不是数字"),
        ("#REF!", "T02", "#REF!"),
    ],
)
def test_what_is_no_amount_is_a_fault(cell: Cell, rule: str, says: str) -> None:
    fault = fault_of(cell, column("yuan"))
    assert fault.rule == rule
    assert says in fault.message


@given(st.decimals(min_value=0, max_value=10**14, places=2, allow_nan=False, allow_infinity=False))
def test_amounts_come_back_as_they_were_written(amount: Decimal) -> None:
    plain = format(amount, "f")
    for cell in (plain, f"{amount:,.2f}", plain.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))):
        assert read_cell(cell, column("yuan")) == amount


@given(st.decimals(min_value=0, max_value=10**12, places=2, allow_nan=False, allow_infinity=False))
def test_amounts_come_back_from_number_cells(amount: Decimal) -> None:
    assert read_cell(float(amount), column("wan")) == amount


# --- percentages and whole numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("4.35", "4.3500"),
        (4.35, "4.3500"),
        ("4.35%", "4.3500"),
        ("4.35 %", "4.3500"),
        ("４．３５％", "4.3500"),
        ("0", "0.0000"),
        ("100", "100.0000"),
        ("4.1234", "4.1234"),
    ],
)
def test_percentages_are_read_exactly(cell: Cell, value: str) -> None:
    assert str(read_cell(cell, column("pct"))) == value


@pytest.mark.parametrize(
    ("cell", "rule"),
    [("4.12345", "T02"), ("100.0001", "T05"), ("-0.1", "T05"), ("4.35%%", "T02"), ("%", "T02"), ("4.35‰", "T02")],
)
def test_what_is_no_percentage_is_a_fault(cell: Cell, rule: str) -> None:
    assert fault_of(cell, column("pct")).rule == rule


@pytest.mark.parametrize(
    ("cell", "value"),
    [("3", 3), (3, 3), (3.0, 3), ("3.0", 3), ("3.", 3), ("３", 3), ("1,234", 1234), ("0", 0), (2**31 - 1, 2**31 - 1)],
)
def test_whole_numbers_are_read(cell: Cell, value: int) -> None:
    result = read_cell(cell, column("int"))
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize(
    ("cell", "rule"),
    [("3.5", "T02"), (3.5, "T02"), (True, "T02"), ("三", "T02"), ("-1", "T05"), (2**31, "T05"), ("9" * 400, "T05")],
)
def test_what_is_no_whole_number_is_a_fault(cell: Cell, rule: str) -> None:
    assert fault_of(cell, column("int")).rule == rule


@pytest.mark.parametrize(("cell", "inside"), [(0, False), (1, True), (5, True), (6, False)])
def test_declared_bounds_are_inclusive(cell: int, inside: bool) -> None:
    conduct = column("int", min=1, max=5)
    if inside:
        assert read_cell(cell, conduct) == cell
    else:
        fault = fault_of(cell, conduct)
        assert fault.rule == "T05"
        assert "不小于1且不大于5的整数" in fault.message


# --- dates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        date(2019, 6, 3),
        datetime(2019, 6, 3),  # noqa: DTZ001
        "2019-06-03",
        "2019-6-3",
        "2019/06/03",
        "2019/6/3",
        "20190603",
        20190603,
        20190603.0,
        "2019年6月3日",
        "2019年06月03日",
        "２０１９年６月３日",
        "２０１９－０６－０３",
        " 2019-06-03 ",
        "'2019-06-03",
        "2019-06-03 00:00:00",
        "2019-06-03T00:00:00",
        "2019/6/3 0:00:00",
        "2019-6-3 0:00",
        "2019.6.3",
        "2019．06．03",
        "2019、6、3",
        "2019年6月3日 00:00",
        "2019.06.03 00:00:00.000",
        "2019—06—03",
        "2019-06-03T00:00:00Z",
        "2019-06-03T00:00:00.000+08:00",
        "2019-06-03t00:00:00z",
        43619,
        43619.0,
        "43619",
    ],
)
def test_dates_are_read_in_every_form(cell: Cell) -> None:
    result = read_cell(cell, column("date"))
    assert result == date(2019, 6, 3)
    assert type(result) is date


def test_serial_numbers_count_from_1900_or_1904() -> None:
    assert read_cell(43616, column("date")) == date(2019, 5, 31)
    assert read_cell(43616 - 1462, column("date"), epoch_1904=True) == date(2019, 5, 31)


def test_leap_days() -> None:
    assert read_cell("2016-02-29", column("date")) == date(2016, 2, 29)
    assert read_cell("20000229", column("date")) == date(2000, 2, 29)
    for cell in ("2019-02-29", "2019年2月29日", "20190229", "1900-02-29", "2100/2/29"):
        fault = fault_of(cell, column("date"))
        assert fault.rule == "T02"
        assert f"没有{cell}这一天" in fault.message


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "today",
        "2019",
        2019,
        "201906",
        201906,
        "2019-06",
        "03/06/2019",
        "2019.06",
        "2019.06.03.1",
        "2019-06-03T16:00:00Z",
        "2019-06-03T00:00:00+09:00",
        "2019-06-03 8:30",
        datetime(2019, 6, 3, 8, 30),  # noqa: DTZ001
        "2019-06-31",
        "2019-13-01",
        "0000-01-01",
        "2019-06-03 12:30:00",
        "2019-06-03-01",
        43619.5,
        -1,
        0,
        2958465,
        1e300,
        "9" * 5000,
        True,
        "2019年6月",
        "19-6-3",
        math.inf,
        "#VALUE!",
    ],
)
def test_what_is_no_date_is_a_fault(cell: Cell) -> None:
    for epoch_1904 in (False, True):
        fault = fault_of(cell, column("date"), epoch_1904=epoch_1904)
        assert fault.rule == ("T01" if cell == "" else "T02")


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2099, 12, 31)))
def test_dates_come_back_from_every_form(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    forms: list[Cell] = [day, f"{day:%Y-%m-%d}", f"{day:%Y/%m/%d}", f"{day:%Y%m%d}", serial]
    forms.append(f"{day.year}年{day.month}月{day.day}日")
    assert [read_cell(form, column("date")) for form in forms] == [day] * len(forms)
    if serial > 1462 + 18264:
        assert read_cell(serial - 1462, column("date"), epoch_1904=True) == day


# --- texts and choices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("合同1", "合同1"),
        ("  合同1\u3000", "合同1"),
        ("\ufeff合同1\u200b", "合同1"),
        ("\u202a合同1\u202c", "合同1"),
        ("\u200e合同1\u2060\u2009", "合同1"),
        ("3E01", "3E01"),
        ("7e002", "7e002"),
        ("'0012", "0012"),
        ("ＡＢｃ１２", "ABc12"),
        ("（甲）", "（甲）"),
        ("𠮷田·阿卜杜拉", "𠮷田·阿卜杜拉"),
        ("441702199001011234", "441702199001011234"),
        ("44170219900101123x", "44170219900101123x"),
        (441702, "441702"),
        (441702199001011234, "441702199001011234"),
        (441702.0, "441702"),
        (123456789012345, "123456789012345"),
        (True, "TRUE"),
        ("=1+1", "=1+1"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("a" * 18, "a" * 18),
    ],
)
def test_texts_are_read(cell: Cell, value: str) -> None:
    assert read_cell(cell, column("text")) == value


@pytest.mark.parametrize(
    ("cell", "rule", "says"),
    [
        ("a" * 19, "T03", "有19个字符，超过18个"),
        (4.41702199001011e17, "T02", "设置为“文本”格式"),
        ("4.41702E+17", "T02", "设置为“文本”格式"),
        ("4.41702199001011E17", "T02", "设置为“文本”格式"),
        ("4E+17", "T02", "设置为“文本”格式"),
        (float(10**15), "T02", "设置为“文本”格式"),
        ("陈大\ufffd", "T02", "文字有丢失"),
        ("甲\x00", "T02", "控制字符"),
        ("甲\x07乙", "T02", "控制字符"),
        ("甲\x7f", "T02", "控制字符"),
        ("甲\x85乙", "T02", "控制字符"),
        ("甲\ud842", "T02", "残缺字符"),
        ("#N/A", "T02", "#N/A"),
        ("#div/0!", "T02", "公式错误"),
    ],
)
def test_what_is_no_text_is_a_fault(cell: Cell, rule: str, says: str) -> None:
    fault = fault_of(cell, column("text"))
    assert fault.rule == rule
    assert says in fault.message


@pytest.mark.parametrize("type_", list(ColumnType))
@pytest.mark.parametrize("error", sorted(EXCEL_ERRORS))
def test_an_excel_error_is_named_in_every_column(error: str, type_: str) -> None:
    fault = fault_of(error, column(type_))
    assert fault.rule == "T02"
    assert error in fault.message


def test_yes_and_no() -> None:
    assert read_cell("是", column("yesno")) is True
    assert read_cell(" 否 ", column("yesno")) is False
    assert read_cell("\u200e是\u200b", column("yesno")) is True
    wrong: list[Cell] = ["Y", "1", 1, 0, True, False, "是是", "√"]
    assert [fault_of(cell, column("yesno")).rule for cell in wrong] == ["T04"] * len(wrong)


def test_a_choice_is_one_of_its_values() -> None:
    assert read_cell(" 农户", column("choice")) == "农户"
    for cell in ("农 户", "个体户", 1, "farmer"):
        fault = fault_of(cell, column("choice"))
        assert fault.rule == "T04"
        assert "农户、企业、合作社" in fault.message


@pytest.mark.parametrize("type_", list(ColumnType))
@pytest.mark.parametrize("cell", [None, "", "   ", "\u3000\u00a0", "\t\n", "'", "' ", math.nan])
def test_an_empty_cell_is_a_fault_unless_it_may_be_empty(cell: Cell, type_: str) -> None:
    assert read_cell(cell, column(type_, optional=True)) is None
    fault = fault_of(cell, column(type_))
    assert fault.rule == "T01"
    assert "某列不能为空" in fault.message


# --- what a message may show --------------------------------------------------------------------------------

RESIDENT_ID = "441702199001011234"
WIDE_ID = RESIDENT_ID.translate(str.maketrans("0123456789", "０１２３４５６７８９"))


@pytest.mark.parametrize("type_", list(ColumnType))
@pytest.mark.parametrize("cell", [RESIDENT_ID, int(RESIDENT_ID), float(RESIDENT_ID), WIDE_ID, f"身份证{RESIDENT_ID}"])
def test_no_message_shows_an_id_that_stands_in_the_wrong_column(cell: Cell, type_: str) -> None:
    of = column(type_, max=5) if type_ == "text" else column(type_)
    message = fault_of(cell, of).message
    assert "19900101" not in message
    assert "１９９００１０１" not in message


# --- codes, IDs, and what says that there is nothing ---------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        *(f"YX{dash}0{dash}12" for dash in ("-", *"\u2010\u2013\u2014\u2212\u2500\u30fc\uff0d", "\u2014\u2014")),
        " YX- 0 -12",
        "ＹＸ-0-12",
    ],
)
def test_a_code_is_one_code_whatever_its_dashes_and_blanks(cell: str) -> None:
    assert read_cell(cell, column("text", code=True)) == "YX-0-12"


def test_a_text_that_is_no_code_keeps_its_dashes_and_blanks() -> None:
    assert read_cell("那蓬 —村", column("text")) == "那蓬 —村"


@pytest.mark.parametrize("cell", [date(2019, 6, 1), datetime(2019, 6, 1)])  # noqa: DTZ001
def test_a_code_that_the_spreadsheet_made_a_date_is_a_fault(cell: Cell) -> None:
    fault = fault_of(cell, column("text", code=True))
    assert fault.rule == "T02"
    assert fault.message.startswith("某列被电子表格软件自动改成了日期2019-06-01")
    assert read_cell(cell, column("text")) == "2019-06-01"


@pytest.mark.parametrize(
    ("mark", "named"), [("`", "“`”"), ("’", "“’”"), (" ", "空格"), ("-", "“-”"), ("：", "“：”")], ids=repr
)
def test_a_mark_in_an_id_is_named_whatever_its_length(mark: str, named: str) -> None:
    own = Column(header="证件号码", name="id", type=ColumnType.TEXT, max=18, sensitive=Sensitivity.ID)
    for cell in (f"441702{mark}199001011234", f"441702{mark}19900101123"):
        fault = fault_of(cell, own)
        assert fault == CellFault("T02", f"证件号码只能由数字和字母组成，请删除其中的{named}。")
    assert read_cell("44170219900101123x", own) == "44170219900101123x"


@pytest.mark.parametrize("type_", list(ColumnType))
@pytest.mark.parametrize("cell", ["-", "—", "——", "－", "/", "／", "无", "NULL", "null", "N/A", "n/a", " - "])
def test_what_says_nothing_is_empty_where_the_cell_may_be(cell: str, type_: str) -> None:
    assert read_cell(cell, column(type_, optional=True)) is None


@pytest.mark.parametrize("type_", ["int", "yuan", "wan", "pct"])
@pytest.mark.parametrize("cell", ["-", "—", "/", "无"])
def test_no_number_where_one_is_due_asks_for_zero(cell: str, type_: str) -> None:
    assert fault_of(cell, column(type_)) == CellFault("T02", "不是数字，没有时请填0。")


def test_a_day_with_a_time_of_day_says_so() -> None:
    assert "时刻" in fault_of("2019-06-03 12:30:00", column("date")).message


# --- whole columns ------------------------------------------------------------------------------------------


def test_a_column_is_read_with_its_faults_by_position() -> None:
    values, faults = read_cells(["1", "x", None, "2", "x"], column("int", optional=True))
    assert values == [1, None, None, 2, None]
    assert sorted(faults) == [1, 4]
    assert {fault.rule for fault in faults.values()} == {"T02"}


def test_true_is_not_one_and_one_is_not_true() -> None:
    values, faults = read_cells([1, True, 1.0, "1", 0, False], column("int"))
    assert values == [1, None, 1, 1, 0, None]
    assert sorted(faults) == [1, 5]
    texts, _ = read_cells([1, True, 1.0], column("text"))
    assert texts == ["1", "TRUE", "1"]


def test_what_a_person_reads() -> None:
    cells: list[Cell] = [None, True, 0.1 + 0.2, 1e15, datetime(2019, 6, 3), date(2019, 6, 3), " '01 ", math.nan]  # noqa: DTZ001
    assert [cell_text(cell) for cell in cells] == [
        *("", "TRUE", "0.3", "1000000000000000", "2019-06-03", "2019-06-03", "01", "")
    ]


SURROGATES = st.text(st.characters(exclude_categories=()), max_size=30)
NEAR_NUMBERS = st.text("0123456789.,-+%eE年月日/- ０９．％", max_size=24)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    SURROGATES,
    NEAR_NUMBERS,
)
PYTHON_TYPES = {
    "text": str,
    "date": date,
    "int": int,
    "yuan": Decimal,
    "wan": Decimal,
    "pct": Decimal,
    "yesno": bool,
    "choice": str,
}


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("type_", list(ColumnType))
@given(cell=CELLS, epoch_1904=st.booleans())
def test_every_cell_is_a_value_of_its_type_or_a_fault(
    cell: Cell,
    epoch_1904: bool,
    type_: ColumnType,
    optional: bool,
) -> None:
    result = read_cell(cell, column(type_, optional=optional), epoch_1904=epoch_1904)
    if result is None:
        assert optional
        assert not cell_text(cell) or says_nothing(cell_text(cell))
    elif isinstance(result, CellFault):
        assert result.rule in {"T01", "T02", "T03", "T04", "T05"}
        assert result.message.endswith("。")
    else:
        assert type(result) is PYTHON_TYPES[type_]
