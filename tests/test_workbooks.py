"""What all workbooks are written with: texts stay texts, sheets bear names that a spreadsheet takes."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

import openpyxl

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
