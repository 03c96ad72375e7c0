"""Tables of pages as files: numbers stay numbers, nothing runs as a formula, few households are not counted."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook

from five_precisions.display import Form
from five_precisions.web.tables import Cell, Column, Table, few, table_as_csv, table_as_workbook

TABLE = Table(
    name="banks",
    title="各行[一]览",
    columns=[
        Column("bank", "银行"),
        Column("balance", "余额", Form.AMOUNT, "万元"),
        Column("households", "户数", Form.COUNT, "户"),
        Column("rank", "名次", Form.RANK),
        Column("seen", "时间"),
    ],
    rows=[
        (Cell(value="=1+1", href="/x", is_head=True), Decimal("-1234.565"), 12345, 3, datetime(2019, 7, 1, tzinfo=UTC)),
        ("乙行", None, Cell(value="<5"), None, date(2019, 7, 1)),
    ],
    empty="没有。",
)


def test_as_csv() -> None:
    content = table_as_csv(TABLE)
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(StringIO(content.decode("utf-8-sig")))) == [
        ["银行", "余额（万元）", "户数（户）", "名次", "时间"],
        ["“=1+1”", "-1234.57", "12345", "3", "2019年7月1日 08:00"],
        ["乙行", "", "<5", "", "2019-07-01"],
    ]


def test_as_a_workbook() -> None:
    [sheet] = load_workbook(BytesIO(table_as_workbook(TABLE, "考核排名：各行"))).worksheets
    assert sheet.title == "各行 一 览"
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["考核排名：各行", None, None, None, None],
        ["银行", "余额（万元）", "户数（户）", "名次", "时间"],
        ["=1+1", -1234.57, 12345, 3, datetime(2019, 7, 1, 8)],  # noqa: DTZ001 - workbooks know no time zones
        ["乙行", None, "<5", None, "2019-07-01"],
    ]
    assert sheet["A3"].data_type == "s"
    assert sheet["B3"].number_format == "#,##0.00"
    assert sheet.print_title_rows == "$1:$2"


def test_the_same_table_gives_the_same_bytes() -> None:
    assert table_as_workbook(TABLE, "标题") == table_as_workbook(TABLE, "标题")


@pytest.mark.parametrize(("count", "shown"), [(None, None), (0, 0), (1, "<5"), (4, "<5"), (5, 5)])
def test_few_households_are_not_counted(count: int | None, shown: object) -> None:
    assert few(count) == shown
