"""A number is what its format shows: a moment in every date format, a percent only where the format makes it one."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.number_formats import is_percent
from five_precisions.reports.cells import Cell
from tests.fixtures.workbooks import Formatted, WritableCell, xls, xlsb, xlsx

WRITE = {"xls": xls, "xlsb": xlsb, "xlsx": xlsx}
DATES = [*range(27, 37), *range(50, 59)]
JUNE_30, NOON = 43646, 43646.5


def values(kind: str, cells: list[WritableCell]) -> list[Cell]:
    (sheet,) = read_file(f"position.{kind}", WRITE[kind]({"position": [cells]}), known_headers=())
    return sheet.rows[0]


@pytest.mark.parametrize("kind", WRITE)
def test_built_in_formats_of_east_asia_are_dates(kind: str) -> None:
    # No text of these formats is in the file.
    read = values(kind, [Formatted(JUNE_30, form) for form in DATES])
    assert read == [date(2019, 6, 30)] * len(DATES)
    moments = values(kind, [Formatted(NOON, 32), Formatted(0.5, 33)])
    assert moments == [datetime.fromisoformat("2019-06-30 12:00"), "12:00:00"]


@pytest.mark.parametrize("kind", WRITE)
def test_built_in_date_formats_are_dates(kind: str) -> None:
    forms = [*range(14, 18), 22]
    assert values(kind, [Formatted(JUNE_30, form) for form in forms]) == [date(2019, 6, 30)] * len(forms)
    assert values(kind, [Formatted(0.5, form) for form in (18, 19, 20, 21, 45)]) == ["12:00:00"] * 5


@pytest.mark.parametrize("kind", WRITE)
def test_a_format_without_a_text_leaves_numbers_and_texts_alone(kind: str) -> None:
    # 60 is a number format of Thai systems; 37 has no date in it.
    assert values(kind, ["年利率", Formatted(4.9, 60), Formatted(4.9, 37), 4.9]) == ["年利率", 4.9, 4.9, 4.9]


@pytest.mark.parametrize("kind", WRITE)
def test_a_literal_percent_sign_leaves_the_number_as_it_is(kind: str) -> None:
    literal = ['0.00"%"', "0.00\\%", '0.00"%";-0.00"%"', "0.00_%", '0.00;"%"', '#,##0.00"％%"']
    assert values(kind, [Formatted(4.9, form) for form in literal]) == [4.9] * len(literal)
    shown = ["0.00%", "0%;-0%", '0.00%" 年"', "[Red]0.0%", 9, 10]
    assert values(kind, [Formatted(0.049, form) for form in shown]) == ["4.9%"] * len(shown)
    assert values(kind, [Formatted(1, 9)]) == ["100%"]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("0.00%", [True, True, True]),
        ('0.00"%"', [False, False, False]),
        ("0.00;0.00%", [False, True, False]),
        ("0.00%;-0.00", [True, False, True]),
        ('0.00%;-0.00%;"%"', [True, True, False]),
        ("[<1]0.00%;0.00", [False, True, True]),
        ('[>=1]0.00"%";0.00%', [False, True, True]),
        ("[$%-804]0.00", [False, False, False]),
        ("0*%", [False, False, False]),
        ('0"', [False, False, False]),
        ("", [False, False, False]),
        ("0" * 5000 + "%", [False, False, False]),
    ],
)
def test_the_section_for_the_number_decides(form: str, shown: list[bool]) -> None:
    assert [is_percent(form, number) for number in (1.0, -1.0, 0.0)] == shown
    assert is_percent(form) is shown[0]
