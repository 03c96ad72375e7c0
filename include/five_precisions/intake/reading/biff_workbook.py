"""Workbooks of Excel 97 to 2003 (.xls), read without ever trusting a size that the file states."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from five_precisions.intake.reading.biff_records import cell_records
from five_precisions.intake.reading.default_password import refuse_package
from five_precisions.intake.reading.merged_areas import areas_within
from five_precisions.intake.reading.number_formats import as_moment, is_percent
from five_precisions.intake.reading.sheet import (
    Area,
    Limits,
    Sheet,
    UnreadableFileError,
    as_percent,
    damaged,
    refuse_too_large,
    too_many_cells,
    too_much_text,
)
from five_precisions.reports.cells import Cell

_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_HIDDEN: Final = 3
"""Bits of what a sheet's list entry says of it: hidden, or very hidden."""
_UNKNOWN_ERROR: Final = "#VALUE!"


def read_biff_workbook(name: str, content: bytes, limits: Limits) -> list[Sheet]:
    """The sheets of a compound file.

    Raises:
        UnreadableFileError: it is damaged, encrypted or too large (F01).
    """
    import xlrd  # type: ignore[import-untyped]

    if _ENCRYPTED_STREAM in content:
        # A workbook of a newer format with a password comes as a compound file too.
        refuse_package(content)
    try:
        # Its remarks go nowhere. Ragged rows, so that one cell far out does not make a million empty ones. One sheet
        # after another, for the library takes more memory for a sheet than we do.
        records = cell_records(content, limits)
        book = xlrd.open_workbook(
            file_contents=records.stream,
            logfile=io.StringIO(),
            ragged_rows=True,
            formatting_info=True,
            on_demand=True,
        )
        return list(_sheets(name, book, records.merged, limits))
    except UnreadableFileError:
        raise
    except UnicodeError as error:
        raise UnreadableFileError(
            "文件中有残缺的字符（半个字），请用电子表格软件打开，改正后另存为 xlsx 重新报送。"
        ) from error
    except Exception as error:
        # A damaged file breaks this reader in as many ways as there are.
        raise damaged() from error


def _sheets(name: str, book: Any, merged: list[list[Area]], limits: Limits) -> Iterator[Sheet]:
    percents = _percent_formats(book)
    cells = text = 0
    for index in range(book.nsheets):
        sheet = book.sheet_by_index(index)
        rows: list[list[Cell]] = []
        for number in range(sheet.nrows):
            row = list(_cells(sheet, number, percents))
            while row and row[-1] is None:
                row.pop()
            cells += len(row)
            text += sum(len(cell) for cell in row if isinstance(cell, str))
            refuse_too_large(sheet.name, number + 1 if row else 0, len(row), limits)
            rows.append(row)
        if cells > limits.cells:
            raise too_many_cells(limits)
        if text > limits.text_bytes:
            raise too_much_text(limits)
        yield Sheet(
            name,
            sheet.name,
            rows,
            epoch_1904=book.datemode == 1,
            is_hidden=sheet.visibility & _HIDDEN != 0,
            merged=areas_within(merged[index], len(rows)),
        )
        book.unload_sheet(index)


def _percent_formats(book: Any) -> dict[int, str]:
    """Styles of cells whose format has a percent sign → the format; of some built-in ones the text is not known."""
    formats = {
        index: getattr(book.format_map.get(style.format_key), "format_str", None) or ""
        for index, style in enumerate(book.xf_list)
    }
    return {index: text for index, text in formats.items() if "%" in text}


def _cells(sheet: Any, row: int, percents: Mapping[int, str]) -> Iterable[Cell]:
    import xlrd

    epoch_1904 = sheet.book.datemode == 1

    for column, (kind, value) in enumerate(zip(sheet.row_types(row), sheet.row_values(row), strict=True)):
        match kind:
            case xlrd.XL_CELL_TEXT:
                yield value or None
            case xlrd.XL_CELL_NUMBER:
                text = percents.get(sheet.cell_xf_index(row, column)) if percents else None
                yield as_percent(value) if text and is_percent(text, value) else value
            case xlrd.XL_CELL_DATE:
                yield as_moment(value, epoch_1904=epoch_1904)
            case xlrd.XL_CELL_BOOLEAN:
                yield bool(value)
            case xlrd.XL_CELL_ERROR:
                yield xlrd.error_text_from_code.get(value, _UNKNOWN_ERROR)
            case _:
                yield None
