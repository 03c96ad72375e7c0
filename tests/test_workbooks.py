"""What all workbooks are written with: texts stay texts, sheets bear names that a spreadsheet takes."""

from __future__ import annotations

from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.workbooks import LONGEST_TEXT, beginning, count_lines, sheet_name, sheet_names, write_book

PROPERTIES = {"title": "表", "created": datetime(2019, 7, 15)}  # noqa: DTZ001 - XlsxWriter takes no zone


def book_of(*texts: str) -> bytes:
    content = BytesIO()
    with write_book(content, PROPERTIES, in_memory=True) as book:
        sheet = book.add_sheet("表", "&R页眉")
        for row, text in enumerate(texts):
            book.write_text(sheet, row, 0, text, {"bold": True})
        book.merge(sheet, len(texts), 0, len(texts), 2, "=1+1", {"bold": True})
        book.merge(sheet, len(texts) + 1, 0, len(texts) + 1, 0, "一格", {})
        book.write_link(sheet, len(texts) + 2, 0, "目录", {}, to="表", cell="A2")
    return content.getvalue()


def test_texts_stay_texts_and_the_same_calls_give_the_same_bytes() -> None:
    texts = ("=1+1", "http://example.test/", "0012", "", "字" * 40_000)
    sheet = openpyxl.load_workbook(BytesIO(book_of(*texts)))["表"]
    cells = [sheet.cell(row, 1) for row in range(1, 9)]
    assert [cell.value for cell in cells] == [*texts[:3], None, "字" * LONGEST_TEXT, "=1+1", "一格", "目录"]
    assert [cell.data_type for cell in cells] == ["s", "s", "s", "n", "s", "s", "s", "s"]
    assert [cell.quotePrefix for cell in cells] == [True, False, False, False, False, True, False, False]
    assert cells[-1].hyperlink.location == "'表'!A2"
    assert [str(each) for each in sheet.merged_cells.ranges] == ["A6:C6"]
    assert (sheet.oddHeader.right.text, sheet.oddFooter.center.text) == ("页眉", "第 &P 页，共 &N 页")
    assert book_of(*texts) == book_of(*texts)


LINES = {"": 1, "一二三四五": 1, "一二三四五六": 2, "one\n\ntwo": 3, "a" * 21: 3}


def test_lines_by_width() -> None:
    assert {text: count_lines(text, 10.9) for text in LINES} == LINES
    assert count_lines("ab", 0.5) == 2
    assert count_lines("ab" * 500, 10, measured=20) == 2


def test_a_text_is_cut_by_units_and_between_characters() -> None:
    assert beginning("a😀b", 4) == "a😀b"
    assert beginning("a😀b", 3) == "a😀"
    assert beginning("a😀b", 2) == "a"


def test_names_of_sheets() -> None:
    assert sheet_name("a[1]:b*c?/\\'\td\x00") == "a 1 b c d"
    wanted = [("Loans", ""), ("LOANS", ""), ("loans", "b01"), ("loans", "b01"), ("History", ""), ("封面", "")]
    assert sheet_names(wanted, taken=["封面"]) == [
        "Loans",
        "LOANS(2)",
        "loans(b01)",
        "loans(3)",
        "History(2)",
        "封面(2)",
    ]
    long = sheet_names([("😀" * 20, ""), ("😀" * 20, "字" * 40)], taken=())
    assert long == ["😀" * 15, "😀" * 7 + f"({'字' * 15})"]
    assert all(len(name.encode("utf-16-le")) <= 62 for name in long)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(min_value=date(1900, 3, 1)),
    st.datetimes(min_value=datetime(1900, 3, 1)),  # noqa: DTZ001 - a cell has no zone
    st.sampled_from(["441721105", "陈*", "4417**********1234", "桂竹村（2019年）", "a b", "个人经营"]),
    st.text(max_size=20),
    st.text(alphabet="0aZ*字（《“ ·.,/%-—<&\"'_x=\n", max_size=12),
)


def rows_as_xlsx(rows: list[list[Any]], *, whole: bool) -> tuple[bytes, int]:
    """The rows as a workbook, and how many were written whole."""
    content, count = BytesIO(), 0
    with write_book(content, PROPERTIES, constant_memory=True) as book:
        sheet = book.add_sheet("表")
        formats: dict[str, dict[str, Any]] = {
            "text": {"align": "left"},
            "number": {"bold": True},
            "day": {"num_format": "yyyy-mm-dd"},
        }
        own = {name: book.format(style) for name, style in formats.items()}
        for row, cells in enumerate(rows):
            if whole and row < len(rows) - 1 and sheet.write_plain_row(row, cells, **own):
                count += 1
                continue
            for column, cell in enumerate(cells):
                match cell:
                    case None:
                        pass
                    case bool():
                        sheet.write_boolean(row, column, cell, own["number"])
                    case int() | float():
                        sheet.write_number(row, column, cell, own["number"])
                    case datetime() if cell.time() != time():
                        sheet.write_datetime(row, column, cell, own["number"])
                    case date():
                        sheet.write_datetime(row, column, cell, own["day"])
                    case _:
                        book.write_text(sheet, row, column, cell, formats["text"])
    return content.getvalue(), count


@given(rows=st.lists(st.lists(CELLS, max_size=5), max_size=6))
def test_a_row_written_whole_is_the_same_to_the_byte_as_one_written_cell_by_cell(rows: list[list[Any]]) -> None:
    assert rows_as_xlsx(rows, whole=True)[0] == rows_as_xlsx(rows, whole=False)[0]


def test_a_row_with_a_cell_that_needs_more_than_a_format_is_not_written_whole() -> None:
    plain = ["441721105", "陈*", 12, 0.1, date(2019, 6, 30), datetime(2019, 6, 30), None]  # noqa: DTZ001
    others = ["=1+1", " a", "a ", "a<b", "a\nb", "a_x0041_", "", True, float("nan"), date(1900, 2, 28)]
    rows = [plain, *([*plain, other] for other in others), plain]
    content, count = rows_as_xlsx([rows[0], rows[-1], rows[-1]], whole=True)
    assert count == 2
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    assert [cell.value for cell in sheet[1]][:4] == plain[:4]
    assert [cell.value for cell in sheet[1]][4:6] == [datetime(2019, 6, 30)] * 2  # noqa: DTZ001
    with write_book(BytesIO(), PROPERTIES, constant_memory=True) as book:
        refusing = book.add_sheet("表")
        style = book.format({})
        for row, cells in enumerate(rows[1:-1]):
            assert not refusing.write_plain_row(row, cells, text=style, number=style, day=style), cells[-1]
