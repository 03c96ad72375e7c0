"""Delivered bytes → sheets of cells. Nothing is executed, nothing is followed.

See docs/intake.md#the-package; rule F01.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from five_precisions.intake.findings import shown_text
from five_precisions.intake.reading.biff_workbook import read_biff_workbook
from five_precisions.intake.reading.content_kinds import ContentKind, kind_of
from five_precisions.intake.reading.delimited_text import decode_text, read_delimited_text
from five_precisions.intake.reading.garbage import without_collection
from five_precisions.intake.reading.html_tables import known_in, read_html_tables
from five_precisions.intake.reading.parquet_file import read_parquet
from five_precisions.intake.reading.sheet import DEFAULT_LIMITS, Limits, Sheet, UnreadableFileError
from five_precisions.intake.reading.spreadsheetml import read_spreadsheetml
from five_precisions.intake.reading.zipped_package import refuse_workbook
from five_precisions.intake.reading.zipped_workbook import read_zipped_workbook

__all__ = ["DEFAULT_LIMITS", "Limits", "Sheet", "UnreadableFileError", "read_file", "wrong_kind"]

_ALLOWED: Final = "xlsx、xls、et、xlsb、ods、csv、parquet 文件，或装有这些文件的 zip"
_SAVE_AS_XLSX: Final = "请用电子表格软件打开检查，另存为 xlsx 后重新报送。"
_ARCHIVES: Final = frozenset({".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"})


def may_hold_sheets(name: str) -> bool:
    """Whether a file of this name may hold sheets, by itself or in what is packed in it."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in _READERS or suffix in _ARCHIVES


def wrong_kind() -> UnreadableFileError:
    """For a file that no reader reads, by its name."""
    return UnreadableFileError(f"不是允许的文件类型，请改用 {_ALLOWED} 报送。")


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
    if suffix in _ARCHIVES:
        raise _is_archive()
    if read is None:
        raise wrong_kind()
    if not content:
        raise UnreadableFileError("文件是空的（0字节），请重新导出后报送。")
    if len(content) > limits.packed_bytes:
        raise UnreadableFileError(f"文件超过{limits.packed_bytes // 1024**2}MB，请删除无关内容或拆分后报送。")
    try:
        with without_collection():
            sheets = read(name, content, known_headers, limits)
    except UnreadableFileError as error:
        # It may name a sheet or a column.
        raise type(error)(shown_text(str(error))) from error
    return [replace(sheet, name=None if sheet.name is None else shown_text(sheet.name)) for sheet in sheets]


def _is_archive() -> UnreadableFileError:
    return UnreadableFileError("是压缩文件，请解压后报送（或改用 zip）。")


def _read_workbook(name: str, content: bytes, known_headers: Collection[str], limits: Limits) -> list[Sheet]:
    # By what it is, not by what it is called: many a .xls is an .xlsx, or a page that a bank's system made.
    kind = kind_of(content)
    match kind:
        case ContentKind.COMPOUND:
            return read_biff_workbook(name, content, limits)
        case ContentKind.ZIP:
            return read_zipped_workbook(name, content, limits)
        case ContentKind.ARCHIVE:
            raise _is_archive()
        case ContentKind.UNKNOWN:
            raise UnreadableFileError(f"不是电子表格文件，或文件已损坏，{_SAVE_AS_XLSX}")
        case ContentKind.SPREADSHEETML:
            sheets = read_spreadsheetml(name, content, limits)
        case ContentKind.WEB_PAGE:
            text = decode_text(content, known_headers, save_as=" xlsx ")
            sheets = read_html_tables(name, text, known_headers, limits)
        case ContentKind.TEXT:
            sheets = [read_delimited_text(name, content, known_headers, limits, save_as=" xlsx ")]
        case _:
            sheets = []
    if not any(known_in(sheet.rows, known_headers) for sheet in sheets):
        suffix = PurePosixPath(name).suffix.lower()
        raise UnreadableFileError(f"文件名是 {suffix}，内容却是{kind.value}，其中没有能读取的报表表头，{_SAVE_AS_XLSX}")
    return sheets


def _read_csv(name: str, content: bytes, known_headers: Collection[str], limits: Limits) -> list[Sheet]:
    match kind_of(content):
        case ContentKind.COMPOUND | ContentKind.ZIP:
            raise UnreadableFileError("扩展名是 csv，内容却是电子表格，请改正扩展名，或另存为 CSV 后重新报送。")
        case ContentKind.ARCHIVE:
            raise _is_archive()
        case _:
            return [read_delimited_text(name, content, known_headers, limits)]


def _read_parquet(name: str, content: bytes, _: Collection[str], limits: Limits) -> list[Sheet]:
    return read_parquet(name, content, limits)


def _refuse_zip(_: str, content: bytes, __: Collection[str], ___: Limits) -> list[Sheet]:
    """The files of a package's zip are read one by one (`zipped_package`)."""
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
        refuse_workbook(archive)
    raise UnreadableFileError("是压缩包，请解压后报送。")


_READERS: Final[dict[str, Callable[[str, bytes, Collection[str], Limits], list[Sheet]]]] = {
    ".xlsx": _read_workbook,
    ".xlsm": _read_workbook,
    ".xls": _read_workbook,
    ".et": _read_workbook,
    ".xlsb": _read_workbook,
    ".ods": _read_workbook,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".zip": _refuse_zip,
}
