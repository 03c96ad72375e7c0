"""Delivered bytes → sheets of cells (spec/03, The package; rule F01). Nothing is executed, nothing is followed."""

from __future__ import annotations

import csv
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, Final
from xml.etree import ElementTree as ET

from five_precisions.intake.layout import normal_header
from five_precisions.reports.cells import Cell

CSV_DELIMITERS: Final = ",;\t"
_ROWS_THAT_TELL_THE_DELIMITER: Final = 10
_CHUNK: Final = 1 << 20
_OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_SPREADSHEET: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION_ID: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\bt=[\"']e[\"'])[^>]*\br=[\"']([A-Z]+)([0-9]+)[\"'][^>]*>.*?<(?:\w+:)?v>([^<]*)<", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may measure (spec/03, Bad input)."""

    packed_bytes: int = 50 * 1024**2
    unpacked_bytes: int = 1024**3
    rows: int = 1_000_000
    columns: int = 200


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of one delivered file; a CSV or Parquet file is a sheet without a name."""

    file: str
    name: str | None
    rows: list[list[Cell]]
    """From row 1, column A of the file as delivered."""
    epoch_1904: bool = False


class UnreadableFileError(Exception):
    """The file is a finding F01; the message says it to the institution, in Chinese."""


def read_file(
    name: str, content: bytes, *, known_headers: Collection[str], limits: Limits = DEFAULT_LIMITS
) -> list[Sheet]:
    """The sheets of a delivered file.

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
    return read(name, content, known_headers, limits)


def _read_workbook(name: str, content: bytes, _: Collection[str], limits: Limits) -> list[Sheet]:
    import python_calamine

    if content.startswith(_OLE_MAGIC) and _ENCRYPTED_STREAM in content:
        raise UnreadableFileError("文件设有打开密码，请取消密码后重新报送。")
    is_zip = content.startswith(b"PK")
    if is_zip:
        _refuse_zip_bomb(content, limits)
    elif not content.startswith(_OLE_MAGIC):
        raise UnreadableFileError("不是电子表格文件，或文件已损坏，请用电子表格软件打开检查，另存为 xlsx 后重新报送。")
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [_read_sheet(name, book.get_sheet_by_index(index), limits) for index in range(len(book.sheet_names))]
    except python_calamine.PasswordError:
        raise UnreadableFileError("文件设有打开密码，请取消密码后重新报送。") from None
    except (python_calamine.CalamineError, OSError, ValueError, IndexError) as error:
        raise UnreadableFileError("文件已损坏，打不开，请用电子表格软件打开检查，另存为 xlsx 后重新报送。") from error
    except BaseException as error:
        # The reader is written in Rust, and a panic in it is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableFileError("文件已损坏，打不开，请另存为 xlsx 后重新报送。") from error
    return _with_xlsx_particulars(content, sheets) if is_zip else sheets


def _read_sheet(file: str, sheet: Any, limits: Limits) -> Sheet:
    rows, columns = (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end else (0, 0)
    _refuse_too_large(sheet.name, rows, columns, limits)
    cells = sheet.to_python(skip_empty_area=False) if rows else []
    return Sheet(file, sheet.name, [[_cell(value) for value in row] for row in cells])


def _refuse_too_large(sheet: str | None, rows: int, columns: int, limits: Limits) -> None:
    where = f"工作表“{sheet}”" if sheet else "文件"
    if rows > limits.rows:
        raise UnreadableFileError(f"{where}超过{limits.rows}行，请删除多余的行后重新报送。")
    if columns > limits.columns:
        raise UnreadableFileError(f"{where}超过{limits.columns}列，请删除多余的列后重新报送。")


def _refuse_zip_bomb(content: bytes, limits: Limits) -> None:
    """Unpack with a running count: the sizes in a zip's directory can be forged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            is_encrypted = any(member.flag_bits & 1 for member in archive.infolist())
            is_too_large = not is_encrypted and _unpacks_beyond(archive, limits.unpacked_bytes)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise UnreadableFileError(
            "文件已损坏或不完整，打不开，请用电子表格软件打开检查，另存为 xlsx 后重新报送。"
        ) from error
    if is_encrypted:
        raise UnreadableFileError("文件设有打开密码，请取消密码后重新报送。")
    if is_too_large:
        raise UnreadableFileError(f"文件解压后超过{limits.unpacked_bytes // 1024**2}MB，请删除无关内容后重新报送。")


def _unpacks_beyond(archive: zipfile.ZipFile, limit: int) -> bool:
    unpacked = 0
    for member in archive.infolist():
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > limit:
                    return True
    return False


def _with_xlsx_particulars(content: bytes, sheets: list[Sheet]) -> list[Sheet]:
    """Put the text of error cells in, which the reader leaves empty, and the date system."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return sheets
        try:
            # The parser loads nothing from outside and limits how far entities may grow.
            workbook = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
            relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        except (ET.ParseError, KeyError):
            return sheets
        properties = workbook.find(f"{_SPREADSHEET}workbookPr")
        epoch_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
        parts = {
            sheet.get("name"): targets.get(sheet.get(_RELATION_ID), "")
            for sheet in workbook.iter(f"{_SPREADSHEET}sheet")
        }
        for sheet in sheets:
            target = parts.get(sheet.name, "")
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            if part in archive.namelist():
                _put_error_texts(sheet, archive.read(part))
    return [Sheet(sheet.file, sheet.name, sheet.rows, epoch_1904) for sheet in sheets]


def _put_error_texts(sheet: Sheet, xml: bytes) -> None:
    if b't="e"' not in xml and b"t='e'" not in xml:
        return
    for letters, row, text in _ERROR_CELL.findall(xml):
        column = 0
        for letter in letters:
            column = column * 26 + letter - ord("A") + 1
        index = int(row) - 1
        if index < len(sheet.rows) and column <= len(sheet.rows[index]):
            sheet.rows[index][column - 1] = text.decode("utf-8", "replace")


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
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            _refuse_too_large(None, len(rows) + 1, len(row), limits)
            rows.append([cell or None for cell in row])
    except csv.Error as error:
        raise UnreadableFileError("CSV 文件格式不正确（引号不成对或单元格过长），请重新导出后报送。") from error
    return [Sheet(name, None, rows)]


def _first_rows(text: str, delimiter: str) -> Iterable[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for _ in range(_ROWS_THAT_TELL_THE_DELIMITER):
            yield next(lines)
    except (StopIteration, csv.Error):
        return


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif content.startswith((b"PK\x03\x04", _OLE_MAGIC)):
        raise UnreadableFileError("扩展名是 csv，内容却是电子表格，请改正扩展名，或另存为 CSV 后重新报送。")
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFileError("文字编码不是 UTF-8 或 GB18030，请另存为“CSV UTF-8”后重新报送。")


def _read_parquet(name: str, content: bytes, _: Collection[str], limits: Limits) -> list[Sheet]:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        _refuse_too_large(None, file.metadata.num_rows + 1, file.metadata.num_columns, limits)
        unpacked = sum(file.metadata.row_group(index).total_byte_size for index in range(file.num_row_groups))
        if unpacked > limits.unpacked_bytes:
            raise UnreadableFileError(f"文件解压后超过{limits.unpacked_bytes // 1024**2}MB，请删除无关内容后重新报送。")
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFileError("Parquet 文件已损坏或已加密，打不开，请重新导出后报送。") from error
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    return [Sheet(name, None, [list(table.column_names), *map(list, zip(*columns, strict=True))])]


def _cell(value: object) -> Cell:
    match value:
        case None | "":
            return None
        case str() | bool() | int() | float() | datetime() | date():
            return value
        case Decimal():
            return format(value, "f")
        case time() | timedelta():
            return str(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)


_READERS: Final[dict[str, Callable[[str, bytes, Collection[str], Limits], list[Sheet]]]] = {
    ".xlsx": _read_workbook,
    ".xlsm": _read_workbook,
    ".xls": _read_workbook,
    ".xlsb": _read_workbook,
    ".ods": _read_workbook,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
