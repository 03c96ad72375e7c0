"""What a Parquet file holds is what comes out: days of China, exact numbers, nothing rounded (docs/intake.md)."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from five_precisions.intake.reading.files import read_file
from five_precisions.period import SHANGHAI
from five_precisions.reports import load_reports
from five_precisions.reports.cells import CellFault, read_cell

MIDNIGHT_IN_SHANGHAI = datetime(2019, 6, 3, 16, tzinfo=UTC)
UNITS = ["s", "ms", "us", "ns"]
ID = 441702198001010017
ACCOUNT = 6222021234567890123


def cells_of(values: Any, **options: Any) -> list[object]:
    """The cells below the header of a column."""
    content = io.BytesIO()
    parquet.write_table(pa.table({"x": values}), content, **options)
    (sheet,) = read_file("position.parquet", content.getvalue(), known_headers=())
    assert sheet.rows[0] == ["x"]
    return [cell for (cell,) in sheet.rows[1:]]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "+08:00", "America/New_York"])
def test_a_moment_with_a_zone_is_the_day_in_china(unit: str, zone: str) -> None:
    moments = pa.array([MIDNIGHT_IN_SHANGHAI, None, datetime(2019, 6, 3, 15, 59, 59, tzinfo=UTC)])
    cells = cells_of(moments.cast(pa.timestamp(unit, zone)))
    assert cells == [date(2019, 6, 4), None, date(2019, 6, 3)]
    assert type(cells[0]) is date


def test_the_summer_time_of_1988_is_minded() -> None:
    assert cells_of(pa.array([datetime(1988, 6, 30, tzinfo=SHANGHAI)])) == [date(1988, 6, 30)]


@pytest.mark.parametrize("unit", UNITS)
def test_a_moment_without_a_zone_is_as_it_stands(unit: str) -> None:
    moments = [datetime(2019, 6, 3), datetime(2019, 6, 3, 16), datetime(1950, 1, 1)]  # noqa: DTZ001
    read = cells_of(pa.array(moments, pa.timestamp(unit)))
    assert read == [date(2019, 6, 3), "2019-06-03 16:00:00", date(1950, 1, 1)]


def test_the_last_parts_of_a_second_are_not_dropped() -> None:
    moment = pd.Timestamp("2019-06-03").value
    cells = cells_of(pa.array([moment, moment + 1, moment + 1000, moment - 1], pa.timestamp("ns")))
    assert cells == [
        date(2019, 6, 3),
        "2019-06-03 00:00:00.000000001",
        "2019-06-03 00:00:00.000001000",
        "2019-06-02 23:59:59.999999999",
    ]
    column = load_reports()["loans"].column("issued_on")
    assert isinstance(read_cell(cells[1], column), CellFault)  # type: ignore[arg-type]


def test_moments_of_old_writers_reach_the_year_9999() -> None:
    moments = pa.array([datetime(9999, 12, 31), datetime(2019, 6, 3, 16), None], pa.timestamp("us"))  # noqa: DTZ001
    cells = cells_of(moments, use_deprecated_int96_timestamps=True)
    assert cells == [date(9999, 12, 31), "2019-06-03 16:00:00", None]


def test_a_moment_after_the_year_9999_is_no_date() -> None:
    assert cells_of(pa.array([2**60, -(2**60)], pa.timestamp("us"))) == [f"{2**60}us", f"{-(2**60)}us"]


def test_numbers_of_32_and_16_bits_are_as_short_as_they_were_written() -> None:
    assert cells_of(pa.array([4.9, None, float("nan"), 0.1, -0.35, 50000.5], pa.float32())) == [
        4.9, None, None, 0.1, -0.35, 50000.5,
    ]  # fmt: skip
    assert cells_of(pa.array(np.array([4.9, 0.35, 2047], np.float16))) == [4.9, 0.35, 2047.0]


def test_a_number_of_32_bits_that_lost_its_last_digits_is_no_number() -> None:
    cells = cells_of(pa.array([16777215.0, 16777216.0, 441702198.0, float("inf")], pa.float32()))
    assert cells == [16777215.0, "1.6777216e+07", "4.417022e+08", float("inf")]
    for name in ("principal", "payee_account"):
        fault = read_cell(cells[1], load_reports()["loans"].column(name))  # type: ignore[arg-type]
        assert isinstance(fault, CellFault)
        assert fault.rule == "T02"
        assert "科学记数法" in fault.message


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}])
def test_long_numbers_are_exact(options: dict[str, Any]) -> None:
    cells = cells_of(pa.array([ID, None, ACCOUNT], pa.int64()), **options)
    assert cells == [ID, None, ACCOUNT]
    assert [type(cell) for cell in cells] == [int, type(None), int]
    assert cells_of(pa.array([2**64 - 1, None], pa.uint64())) == [2**64 - 1, None]
    assert cells_of(pa.array(pd.array([ID, None], dtype="Int64"))) == [ID, None]
    assert cells_of(pa.array([Decimal(ACCOUNT), None], pa.decimal128(38, 0))) == [str(ACCOUNT), None]
    assert cells_of(pa.array([Decimal("31204500.10")], pa.decimal256(50, 2))) == ["31204500.10"]


def test_long_numbers_that_pandas_made_floats_stay_lost() -> None:
    content = io.BytesIO()
    pd.DataFrame({"x": [ID, None]}).to_parquet(content)
    (sheet,) = read_file("position.parquet", content.getvalue(), known_headers=())
    assert sheet.rows[1:] == [[float(ID)], [None]]
    fault = read_cell(sheet.rows[1][0], load_reports()["loans"].column("payee_account"))
    assert isinstance(fault, CellFault)
    assert fault.rule == "T02"


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.binary_view()])
@pytest.mark.parametrize("use_dictionary", [True, False])
def test_texts_of_every_kind(kind: Any, use_dictionary: bool) -> None:
    texts = ["农户", None, "企业", "农户", ""]
    assert cells_of(pa.array(texts).cast(kind), use_dictionary=use_dictionary) == ["农户", None, "企业", "农户", None]


def test_bytes_that_are_no_utf_8_are_marked_as_lost() -> None:
    assert cells_of(pa.array(["陈".encode("gb18030")], pa.binary())) == ["\ufffd\ufffd"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([date(2019, 6, 3), date(2019, 6, 3)]), [date(2019, 6, 3)] * 2),
        (pa.array([MIDNIGHT_IN_SHANGHAI] * 2), [date(2019, 6, 4)] * 2),
        (pa.array([ID, ID]), [ID, ID]),
        (pa.array([4.9, 4.9], pa.float32()), [4.9, 4.9]),
        (pa.array([Decimal("4.90")] * 2), ["4.90"] * 2),
        (pa.array(["农户", None]), ["农户", None]),
        (pa.array([b"x", None], pa.binary()), ["x", None]),
    ],
)
def test_columns_coded_by_a_dictionary_of_any_kind(values: Any, expected: list[object]) -> None:
    assert cells_of(values.dictionary_encode()) == expected


def test_truths_times_and_durations() -> None:
    assert cells_of(pa.array([True, None, False])) == [True, None, False]
    for unit in ("s", "ms"):
        assert cells_of(pa.array([time(16, 30)], pa.time32(unit))) == ["16:30:00"]
    for unit in ("us", "ns"):
        assert cells_of(pa.array([time(16, 30)], pa.time64(unit))) == ["16:30:00"]
    assert cells_of(pa.array([timedelta(days=1, hours=2)])) == ["1 day, 2:00:00"]
    assert cells_of(pa.array([date(2019, 6, 3)], pa.date64())) == [date(2019, 6, 3)]
