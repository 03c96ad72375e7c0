"""What large reports are spared gives the very findings that each row asked by itself gives."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from five_precisions.intake.rules.derived import DerivedContext, credit_code_defect, resident_id_defect
from five_precisions.reports import Column, ColumnType
from five_precisions.reports.cells import Cell, CellFault, read_cell, read_cells

pytestmark = pytest.mark.slow

CONTEXT = DerivedContext(last_day=date(2019, 6, 30), rates=())

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "HT-1", "H（1）-2", "'01", "４４", "1E5", "1.5", "4e10", "#REF!", "是", "2019-06-30", "a\0"]
    ),
    st.text(max_size=8),
)
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1, True, 0, False, 1.0, 0.1 + 0.2, 1e9, 999_999_999.99, 1e15, 0.005, 43646]),
    # Without -0.0, which is 0.0 to a dict.
    st.floats(allow_infinity=False).map(lambda number: number + 0.0),
    st.integers(0, 10**13).map(lambda fen: fen / 100),
)
PLAIN_TEXTS = st.sampled_from(["甲", "NA", "HT-1", "HTB01", "HTB0001", "1E5", "9.9E5", "HTB01\nHTB02", "HTB01\n", ""])
CELLS = st.one_of(st.none(), TEXTS, NUMBERS, st.dates(), st.datetimes())


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("kind", ColumnType)
@given(cells=st.lists(CELLS, max_size=30))
def test_a_column_reads_as_its_cells_do(kind: ColumnType, optional: bool, cells: list[Cell]) -> None:
    own = {ColumnType.TEXT: {"max": 6}, ColumnType.CHOICE: {"of": ("农户", "企业")}}
    declared = {"header": "某列", "name": "some_column", "type": kind, "optional": optional}
    check_column(Column.model_validate({**declared, **own.get(kind, {})}), cells)


@pytest.mark.parametrize("sensitive", [None, "id"])
@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("longest", [3, 5, 8])
@given(cells=st.lists(st.one_of(st.none(), PLAIN_TEXTS), max_size=10))
def test_a_column_of_plain_texts_reads_as_its_cells_do(
    longest: int, optional: bool, sensitive: str | None, cells: list[Cell]
) -> None:
    declared = {"header": "某列", "name": "some_column", "type": "text", "max": longest}
    check_column(Column.model_validate({**declared, "optional": optional, "sensitive": sensitive}), cells)


def check_column(column: Column, cells: list[Cell]) -> None:
    values, faults = read_cells(cells, column)
    each = [read_cell(cell, column) for cell in cells]
    assert faults == {position: read for position, read in enumerate(each) if isinstance(read, CellFault)}
    assert list(map(repr, values)) == [repr(None if isinstance(read, CellFault) else read) for read in each]


@settings(max_examples=300)
@given(
    body=st.from_regex(r"[0-9]{8}[0-9A-HJ-NPQRTUWXY]{9}", fullmatch=True),
    end=st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"),
)
def test_credit_codes_are_what_the_library_says(body: str, end: str) -> None:
    right = body + uscc.calc_check_digit(body)
    codes = [right, body + end, right.lower(), f"{right[:8]} {right[8:]}", body, f"{body}I"]
    assert credit_code_defect(CONTEXT, codes) == [None if uscc.is_valid(code) else "invalid" for code in codes]
    assert credit_code_defect(CONTEXT, [right]) == [None]


@given(
    born_on=st.dates(date(1900, 1, 1), date(2030, 12, 31)).map(date.isoformat) | st.just("2019-02-29"),
    ends=st.lists(st.from_regex(r"[0-9]{3}[0-9Xx]", fullmatch=True), max_size=5),
)
def test_resident_ids_are_what_the_library_says(born_on: str, ends: list[str]) -> None:
    numbers = ["441702" + born_on.replace("-", "") + end for end in ends]
    is_day = born_on <= "2019-06-30" and born_on != "2019-02-29"
    is_right = [ric.calc_check_digit(number) == number[-1].upper() for number in numbers]
    defects = [("check digit", None)[right] if is_day else "birth date" for right in is_right]
    others = [None, "44170219900101", "甲" * 18]
    assert resident_id_defect(CONTEXT, [*numbers, *others]) == [*defects, None, "form", "form"]
