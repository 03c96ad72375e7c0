"""CSV files as programs and hurried people write them (docs/intake.md#the-package)."""

from __future__ import annotations

import time

import pytest

from five_precisions.intake.package_sheets import known_headers
from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.sheet import UnreadableFileError
from tests.packages import csv_bytes, sound, table

LOANS = table("loans", [sound("loans", contract_no=f"HT-{number}", borrower_name="陈大文") for number in range(3)])
CELLS = [[cell or None for cell in row] for row in LOANS]


def rows_of(content: bytes) -> list[list[object]]:
    (sheet,) = read_file("loans.csv", content, known_headers=known_headers())
    assert sheet.name is None
    return [list(row) for row in sheet.rows]


def refusal_of(content: bytes) -> str:
    with pytest.raises(UnreadableFileError) as refused:
        rows_of(content)
    return str(refused.value)


@pytest.mark.parametrize("delimiter", list(",;\t|，"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_delimiter_is_found_by_the_headers(delimiter: str, encoding: str) -> None:
    assert rows_of(csv_bytes(LOANS, delimiter=delimiter, encoding=encoding)) == CELLS


def test_a_title_full_of_other_delimiters_says_nothing() -> None:
    title = "阳江市，金融精准扶贫，贷款台账，单位：元，|，|，|，|，|，|，|，|，|，|，|，|，|，|，|\r\n".encode()
    assert rows_of(title + csv_bytes(LOANS))[1:] == CELLS


def test_blanks_beside_delimiters_are_harmless() -> None:
    text = '合同编号, "借款人名称" ,"资金用途" , 发放金额\r\n HT-1 , "陈 ""大"", 文" , "种植"\t, "50,000.00" \r\n'
    rows = rows_of(text.encode())
    assert [[str(cell).strip() for cell in row] for row in rows] == [
        ["合同编号", "借款人名称", "资金用途", "发放金额"],
        ["HT-1", '陈 "大", 文', "种植", "50,000.00"],
    ]


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\r\n", b"\r\n\x1a", b"\x1a\0\0\0", b"\x1a\x1a\r\n\0"])
def test_ctrl_z_ends_the_file(end: bytes) -> None:
    content = csv_bytes(LOANS)
    assert content.endswith(b"\r\n")
    assert [row for row in rows_of(content + end) if row] == CELLS
    assert rows_of(content.removesuffix(b"\r\n") + end) == CELLS


def test_ctrl_z_within_the_file_stays() -> None:
    assert rows_of(b"\xe5\x8e\xbf\xe5\x8c\xba\xe4\xbb\xa3\xe7\xa0\x81,x\r\n44\x1a17,1\r\n")[1] == ["44\x1a17", "1"]


@pytest.mark.parametrize("delimiter", [";", "^", ","])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_delimiter_may_be_named_in_the_first_line(delimiter: str, line: str, encoding: str) -> None:
    content = (line.format(delimiter) + "\r\n").encode(encoding) + csv_bytes(LOANS, delimiter=delimiter)
    if encoding == "gb18030":
        content = content.decode().encode("gb18030")
    rows = rows_of(content)
    # An empty row: the numbers of the others are those of the file.
    assert rows == [[], *CELLS]


def test_quoted_headers_behind_a_mark_are_read() -> None:
    lines = ["\ufeff" + ",".join(f'"{cell}"' for cell in LOANS[0]), ",".join(LOANS[1])]
    for encoding in ("utf-8", "gb18030", "utf-8-sig", "utf-16"):
        assert rows_of("\n".join(lines).encode(encoding)) == CELLS[:2]


@pytest.mark.parametrize("half", [b"\xb3", b"\xff", b"\xb3\xc2\xb4"])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_half_a_character_is_named_by_its_line(half: bytes, end: str) -> None:
    content = csv_bytes(LOANS, encoding="gb18030").replace(b"\r\n", end.encode())
    name = "陈大文".encode("gb18030")
    first, second, rest = content.split(name, 2)
    assert rows_of(content) == CELLS
    assert refusal_of(first + name + second + half + rest).startswith("第3行有半个汉字")
    assert refusal_of(content.rstrip() + half).startswith("第4行有半个汉字")


def test_half_a_character_of_utf_8_is_named_by_its_line() -> None:
    content = csv_bytes(LOANS)
    assert refusal_of(content.replace("陈大文".encode(), "陈大文".encode()[:-1], 2)).startswith("第2行有半个汉字")
    header = content.replace("合同编号".encode(), "合同编号".encode()[:-2])
    assert refusal_of(header).startswith("第1行有半个汉字")


def test_the_euro_sign_of_windows_is_read() -> None:
    content = csv_bytes(LOANS, encoding="gb18030").replace("陈大文".encode("gb18030"), b"\x80\xb3\xc2\x80")
    assert [row[2] for row in rows_of(content)] == ["借款人名称", "€陈€", "€陈€", "€陈€"]


def test_euro_signs_without_end_are_refused_quickly() -> None:
    begun = time.monotonic()
    assert "读不出" in refusal_of(csv_bytes(LOANS, encoding="gb18030") + b"\x80" * 20_000_000)
    assert time.monotonic() - begun < 5


def test_the_encoding_of_taiwan_is_named() -> None:
    assert refusal_of("合同編號,借款人名稱\r\nHT-1,陳大文\r\n".encode("big5")).startswith("文字编码是 Big5")
    # A file of another kind, in Chinese as it is written here, is no Big5.
    assert rows_of("序号,说明\r\n1,情况如前\r\n".encode("gb18030"))[1] == ["1", "情况如前"]


@pytest.mark.parametrize("line", [1, 2, 4])
def test_an_open_quote_is_named_by_the_line_in_which_its_row_begins(line: int) -> None:
    lines = csv_bytes(LOANS).split(b"\r\n")
    lines[line - 1] = lines[line - 1].rpartition(b",")[0] + b',"' + lines[line - 1].rpartition(b",")[2]
    assert f"从第{line}行起读不下去：引号不成对" in refusal_of(b"\r\n".join(lines))
    # The line by which the delimiter is named is one of the file.
    assert f"从第{line + 1}行起" in refusal_of(b"\r\n".join([b"sep=,", *lines]))
