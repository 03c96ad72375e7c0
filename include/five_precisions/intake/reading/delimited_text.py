"""Texts with something between the cells, as CSV files are: which encoding, which delimiter, and the cells.

See docs/intake.md#the-package.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable
from typing import Final

from five_precisions.intake.reading.headers import known_header
from five_precisions.intake.reading.layout import ROWS_SEARCHED_FOR_HEADERS
from five_precisions.intake.reading.sheet import (
    Limits,
    Sheet,
    UnreadableFileError,
    refuse_too_large,
    too_many_cells,
    too_much_text,
)
from five_precisions.reports.cells import Cell

SAVE_AS_CSV: Final = "“CSV UTF-8”"
CSV_DELIMITERS: Final = ",;\t|，"
_SHARE_OF_NULS: Final = 8
_CHINESE_IN_UTF8: Final = re.compile(rb"(?:[\xe3-\xef][\x80-\xbf]{2}){2}")
_NAMED_DELIMITER: Final = re.compile(r'"?sep=([^\w"\r\n])"?(?=[\r\n]|\Z)', re.IGNORECASE)
"""As Excel writes and reads it in the first line."""
_BLANKS_BEHIND_QUOTES: Final = r'"[ \t]+(?=[{}\r\n]|\Z)'
_CTRL_Z: Final = "\x1a"
"""Systems after CP/M end a text with it."""
_EURO: Final = "five_precisions.euro"
_EURO_OF_WINDOWS: Final = b"\x80"
"""In Windows' GBK (code page 936), and in no standard."""
_MOST_EUROS: Final = 100_000
"""Such bytes, of which some are the second one of a rare character; each takes its time."""
_BYTES_WITH_HEADERS: Final = 1 << 16


def read_delimited_text(
    name: str, content: bytes, known_headers: Collection[str], limits: Limits, *, save_as: str = SAVE_AS_CSV
) -> Sheet:
    """The one sheet of a text; the delimiter is the one that makes most of a first row's cells headers we know.

    Raises:
        UnreadableFileError: it is in no encoding that is read, too large, or its quotes do not pair (F01). `save_as`
            is what it says to save the file as.
    """
    text = decode_text(content, known_headers, save_as=save_as)
    named = _NAMED_DELIMITER.match(text)
    if named:
        delimiter = named[1]
    else:
        scores = {each: _score(text, each, known_headers) for each in CSV_DELIMITERS}
        delimiter = max(CSV_DELIMITERS, key=lambda candidate: scores[candidate])
        if not scores[delimiter][0]:
            _refuse_big5(content, save_as)
    try:
        rows = _rows(text, delimiter, limits)
    except _QuotesError:
        # A blank between a quote and the delimiter is harmless, and to look for it in every file would take time.
        blanks = re.compile(_BLANKS_BEHIND_QUOTES.format(re.escape(delimiter)))
        rows = _rows_or_line(blanks.sub('"', text), delimiter, limits)
    if named:
        # The line stays one of the file, so that the numbers of the others are right.
        rows[0] = []
    return Sheet(name, None, rows)


class _QuotesError(Exception):
    """A quote does not pair, or a cell is too long; the line, from 1, in which its row begins."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def _score(text: str, delimiter: str, known_headers: Collection[str]) -> tuple[int, int]:
    """How many known headers a row has by this delimiter, and how many cells."""
    rows = _first_rows(text, delimiter)
    counts = ((sum(known_header(cell, known_headers) is not None for cell in row), len(row)) for row in rows)
    return max(counts, default=(0, 0))


def _first_rows(text: str, delimiter: str) -> Iterable[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for _ in range(ROWS_SEARCHED_FOR_HEADERS):
            yield next(lines)
    except (StopIteration, csv.Error):
        return


def _rows_or_line(text: str, delimiter: str, limits: Limits) -> list[list[Cell]]:
    try:
        return _rows(text, delimiter, limits)
    except _QuotesError as error:
        raise UnreadableFileError(
            f"文件从第{error.line}行起读不下去：引号不成对，或一个单元格超过13万个字符，"
            "请用电子表格软件重新导出后报送。"
        ) from error


def _rows(text: str, delimiter: str, limits: Limits) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    cells = shown = begin = 0
    has_formulas = '="' in text
    # Strict: a quote that is never closed would else swallow the rest of the file into one cell.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for row in lines:
            refuse_too_large(None, len(rows) + 1, len(row), limits)
            cells += len(row)
            if cells > limits.cells:
                raise too_many_cells(limits)
            shown += sum(map(len, row))
            if shown > limits.text_bytes:
                raise too_much_text(limits)
            rows.append([_cell(cell) for cell in row] if has_formulas else [cell or None for cell in row])
            begin = lines.line_num
    except csv.Error as error:
        raise _QuotesError(begin + 1) from error
    return rows


def _cell(cell: str) -> Cell:
    """A cell of a text; `="0012"` is how some programs save a text that looks like a number."""
    if cell.startswith('="') and cell.endswith('"') and len(cell) > 2:
        return cell[2:-1] or None
    return cell or None


def decode_text(content: bytes, known_headers: Collection[str], *, save_as: str) -> str:
    """The text, without a mark at its beginning or end, by the encoding in which all of it reads.

    Raises:
        UnreadableFileError: it is neither UTF-8 nor GB18030, nor UTF-16 with a mark (F01).
    """
    has_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    failed: UnicodeDecodeError | None = None
    for encoding in ("utf-16",) if has_mark else ("utf-8-sig", "gb18030"):
        try:
            text = _decode_gb18030(content) if encoding == "gb18030" else content.decode(encoding)
        except UnicodeDecodeError as error:
            failed = error
            continue
        text = _without_end_mark(text.lstrip("\ufeff"))
        # UTF-16 without its mark reads as UTF-8 with a NUL beside every letter.
        is_wide = text.count("\0") > len(text) // _SHARE_OF_NULS
        if not is_wide and not (encoding == "gb18030" and _line_in_another_encoding(content)):
            return text
    why = "文字编码不是 UTF-8 或 GB18030" if has_mark else _why_not_decoded(content, failed, known_headers)
    raise UnreadableFileError(f"{why}，{_remedy(save_as)}")


def _remedy(save_as: str) -> str:
    return f"请用电子表格软件打开检查，另存为{save_as}后重新报送。"


def _why_not_decoded(content: bytes, failed: UnicodeDecodeError | None, known_headers: Collection[str]) -> str:
    half: int | None
    if failed is not None and failed.encoding == "gb18030" and _has_known_header(content, known_headers):
        half = _line_of(content, failed.start)
    else:
        half = _line_with_half_of_a_character(content)
    if half and not _reads_as(_line(content, half), "utf-8"):
        return f"第{half}行有半个汉字或读不出的字符"
    if line := _line_in_another_encoding(content):
        return f"第{line}行与其他行的文字编码不同（一份文件只能用一种编码）"
    return "文字编码不是 UTF-8 或 GB18030"


def _line_with_half_of_a_character(content: bytes) -> int | None:
    """The first line, from 1, in which Chinese of UTF-8 stands beside what is none."""
    for number, line in enumerate(content.split(_line_end(content)), start=1):
        if not line.isascii() and _CHINESE_IN_UTF8.search(line) and not _reads_as(line, "utf-8"):
            return number
    return None


def _has_known_header(content: bytes, known_headers: Collection[str]) -> bool:
    """Whether the file reads as GB18030 as far as its headers."""
    text = content[:_BYTES_WITH_HEADERS].decode("gb18030", "replace").removeprefix("\ufeff")
    return any(_score(text, delimiter, known_headers)[0] for delimiter in CSV_DELIMITERS)


def _line_end(content: bytes) -> bytes:
    """What ends lines; of old systems CR alone."""
    return b"\n" if b"\n" in content else b"\r"


def _line_of(content: bytes, position: int) -> int:
    """The line, from 1, in which a byte stands."""
    return content.count(_line_end(content), 0, position) + 1


def _line(content: bytes, number: int) -> bytes:
    return content.split(_line_end(content), number)[number - 1]


def _without_end_mark(text: str) -> str:
    body = text.rstrip("\x1a\0\r\n")
    mark = text.find(_CTRL_Z, len(body))
    return text if mark < 0 else text[:mark]


def _decode_gb18030(content: bytes) -> str:
    """As Windows reads it, with its euro sign.

    Raises:
        UnicodeDecodeError: at the first byte that is part of no character.
    """
    return content.decode("gb18030", _EURO if content.count(_EURO_OF_WINDOWS) <= _MOST_EUROS else "strict")


def _as_euro(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - it is registered for decoding alone
    if error.object[error.start : error.start + 1] != _EURO_OF_WINDOWS:
        raise error
    return "€", error.start + 1


codecs.register_error(_EURO, _as_euro)


def _refuse_big5(content: bytes, save_as: str) -> None:
    """Refuse a text in which no header is known because its Chinese is that of Taiwan or Hong Kong.

    Nearly all of it would read as GB18030, as characters that nobody writes.
    """
    if content.isascii() or _reads_as(content, "utf-8") or _reads_as(content, "gb2312"):
        return
    if _reads_as(content, "big5"):
        raise UnreadableFileError(f"文字编码是 Big5（繁体中文），不是 UTF-8 或 GB18030，{_remedy(save_as)}")


def _reads_as(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _line_in_another_encoding(content: bytes) -> int | None:
    """The first line, from 1, whose encoding is not that of the first line with Chinese in it; None = all alike.

    Two Chinese characters of UTF-8 side by side are no text of GB18030 that anybody writes; what may be either is
    passed over.
    """
    first: bool | None = None
    for number, line in enumerate(content.split(_line_end(content)), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8-sig")
        except UnicodeDecodeError:
            is_utf8 = False
        else:
            if not _CHINESE_IN_UTF8.search(line):
                continue
            is_utf8 = True
        if first is not None and is_utf8 is not first:
            return number
        first = is_utf8
    return None
