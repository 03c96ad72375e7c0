"""Delivered bytes → sheets of cells. Nothing is executed, nothing is followed.

See docs/intake.md#the-package; rule F01.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from five_precisions.intake.findings import shown_text
from five_precisions.intake.reading.biff_workbook import read_biff_workbook
from five_precisions.intake.reading.headers import normal_header
from five_precisions.intake.reading.parquet_file import read_parquet
from five_precisions.intake.reading.sheet import (
    DEFAULT_LIMITS,
    Limits,
    Sheet,
    UnreadableFileError,
    refuse_too_large,
    too_many_cells,
    too_much_text,
)
from five_precisions.intake.reading.zipped_workbook import read_zipped_workbook
from five_precisions.reports.cells import Cell

__all__ = ["CSV_DELIMITERS", "DEFAULT_LIMITS", "Limits", "Sheet", "UnreadableFileError", "read_file"]

CSV_DELIMITERS: Final = ",;\t"
_ROWS_THAT_SHOW_THE_DELIMITER: Final = 10
_OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_MAGIC: Final = b"PK"
_SHARE_OF_NULS: Final = 8
_CHINESE_IN_UTF8 = re.compile(rb"(?:[\xe3-\xef][\x80-\xbf]{2}){2}")


def read_file(
    name: str, content: bytes, *, known_headers: Collection[str], limits: Limits = DEFAULT_LIMITS
) -> list[Sheet]:
    """The sheets of a delivered file, under names that may be shown.

    `known_headers` (normal form) tell which delimiter a CSV file has.

    Raises:
        UnreadableFileError: it is not of an allowed kind or size, damaged, or encrypted (F01).
    """
    suffix = PurePosixPath(name).suffix.lower()
    read = _READERS.get(suffix)
    if read is None:
        raise UnreadableFileError("不是允许的文件类型，请改用 xlsx、xls、xlsb、ods、csv 或 parquet 文件报送。")
    if not content:
        raise UnreadableFileError("文件是空的（0字节），请重新导出后报送。")
    if len(content) > limits.packed_bytes:
        raise UnreadableFileError(f"文件超过{limits.packed_bytes // 1024**2}MB，请删除无关内容或拆分后报送。")
    try:
        sheets = read(name, content, known_headers, limits)
    except UnreadableFileError as error:
        # It may name a sheet or a column.
        raise type(error)(shown_text(str(error))) from error
    return [replace(sheet, name=None if sheet.name is None else shown_text(sheet.name)) for sheet in sheets]


def _read_workbook(name: str, content: bytes, _: Collection[str], limits: Limits) -> list[Sheet]:
    # By what it is, not by what it is called: many a .xls is an .xlsx.
    if content.startswith(_OLE_MAGIC):
        return read_biff_workbook(name, content, limits)
    if content.startswith(_ZIP_MAGIC):
        return read_zipped_workbook(name, content, limits)
    raise UnreadableFileError("不是电子表格文件，或文件已损坏，请用电子表格软件打开检查，另存为 xlsx 后重新报送。")


def _read_csv(name: str, content: bytes, known_headers: Collection[str], limits: Limits) -> list[Sheet]:
    text = _decode(content)
    # The delimiter is the one that makes most of the first rows' cells headers we know.
    scores = {
        delimiter: max(
            (
                (sum(normal_header(cell) in known_headers for cell in row), len(row))
                for row in _first_rows(text, delimiter)
            ),
            default=(0, 0),
        )
        for delimiter in CSV_DELIMITERS
    }
    delimiter = max(CSV_DELIMITERS, key=lambda candidate: scores[candidate])
    rows: list[list[Cell]] = []
    cells = shown = 0
    # Strict: a quote that is never closed would else swallow the rest of the file into one cell.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in lines:
            refuse_too_large(None, len(rows) + 1, len(row), limits)
            cells += len(row)
            if cells > limits.cells:
                raise too_many_cells(limits)
            shown += sum(map(len, row))
            if shown > limits.text_bytes:
                raise too_much_text(limits)
            rows.append([_csv_cell(cell) for cell in row])
    except csv.Error as error:
        raise UnreadableFileError(
            f"CSV 文件读到第{lines.line_num}行读不下去：引号不成对，或一个单元格超过13万个字符，"
            "请用电子表格软件重新导出后报送。"
        ) from error
    return [Sheet(name, None, rows)]


def _first_rows(text: str, delimiter: str) -> Iterable[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for _ in range(_ROWS_THAT_SHOW_THE_DELIMITER):
            yield next(lines)
    except (StopIteration, csv.Error):
        return


def _csv_cell(cell: str) -> Cell:
    """A cell of a CSV file; `="0012"` is how some programs save a text that looks like a number."""
    if cell.startswith('="') and cell.endswith('"') and len(cell) > 2:
        return cell[2:-1] or None
    return cell or None


def _decode(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", _OLE_MAGIC)):
        raise UnreadableFileError("扩展名是 csv，内容却是电子表格，请改正扩展名，或另存为 CSV 后重新报送。")
    has_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if has_mark else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # UTF-16 without its mark reads as UTF-8 with a NUL beside every letter.
        is_wide = text.count("\0") > len(text) // _SHARE_OF_NULS
        if not is_wide and not (encoding == "gb18030" and _line_in_another_encoding(content)):
            return text
    line = None if has_mark else _line_in_another_encoding(content)
    where = f"第{line}行与其他行的文字编码不同（一份文件只能用一种编码）" if line else "文字编码不是 UTF-8 或 GB18030"
    raise UnreadableFileError(f"{where}，请用电子表格软件打开检查，另存为“CSV UTF-8”后重新报送。")


def _line_in_another_encoding(content: bytes) -> int | None:
    """The first line, from 1, whose encoding is not that of the first line with Chinese in it; None = all alike.

    Two Chinese characters of UTF-8 side by side are no text of GB18030 that anybody writes; what may be either is
    passed over.
    """
    first: bool | None = None
    for number, line in enumerate(content.split(b"\n"), start=1):
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


def _read_parquet(name: str, content: bytes, _: Collection[str], limits: Limits) -> list[Sheet]:
    return read_parquet(name, content, limits)


_READERS: Final[dict[str, Callable[[str, bytes, Collection[str], Limits], list[Sheet]]]] = {
    ".xlsx": _read_workbook,
    ".xlsm": _read_workbook,
    ".xls": _read_workbook,
    ".xlsb": _read_workbook,
    ".ods": _read_workbook,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
