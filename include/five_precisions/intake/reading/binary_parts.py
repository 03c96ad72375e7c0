"""The parts of an .xlsb, which are records ([MS-XLSB] 2.4); see docs/intake.md#bad-input."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Set
from typing import Final

from five_precisions.intake.reading.number_formats import BUILT_IN_MOMENTS
from five_precisions.intake.reading.sheet import MOST_SHEETS, Area, damaged
from five_precisions.intake.reading.sheet_parts import UNKNOWN_ERROR, CellStyles, ListedSheet, SheetPart

_ROW: Final = 0
_CELLS: Final = range(1, 12)
_BLANK: Final = 1
_NUMBER_RECORDS: Final = frozenset({2, 5, 9})
_ERROR_RECORDS: Final = frozenset({3, 11})
_SHARED_RECORD: Final = 7
_SHARED_ITEM: Final = 19
_FORMAT: Final = 44
_STYLE: Final = 47
_CELL_STYLES: Final = 617
_END_OF_CELL_STYLES: Final = 618
_BEGIN_OF_WORKBOOK: Final = b"\x83\x01"
_PROPERTIES: Final = 153
_BUNDLED_SHEET: Final = 156
_MERGED: Final = 176
_NO_TEXT: Final = 0xFFFFFFFF
_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


def is_binary(head: bytes) -> bool:
    """Whether a workbook's own part begins as records do."""
    return head.startswith(_BEGIN_OF_WORKBOOK)


def list_sheets(content: bytes) -> tuple[list[ListedSheet], bool]:
    """The sheets that a workbook lists, and whether it counts its days from 1904.

    Raises:
        UnreadableFileError: it lists too many.
        struct.error: a record is too short.
    """
    sheets: list[ListedSheet] = []
    epoch_1904 = False
    for kind, body in _records(content):
        if kind == _PROPERTIES and body:
            epoch_1904 = bool(body[0] & 1)
        elif kind == _BUNDLED_SHEET and int.from_bytes(body[8:12], "little") != _NO_TEXT:
            if len(sheets) >= MOST_SHEETS:
                raise damaged()
            relation, end = _wide_text(body, 8)
            title, _ = _wide_text(body, end)
            sheets.append(ListedSheet(title, relation, is_hidden=body[0] in (1, 2)))
    return sheets, epoch_1904


def read_styles(content: bytes) -> CellStyles:
    """The styles of cells.

    Raises:
        struct.error: a record is too short.
    """
    texts: dict[int, str] = {}
    formats: list[int] = []
    is_inside = False
    for kind, body in _records(content):
        if kind == _FORMAT and len(body) >= 6:
            texts[int.from_bytes(body[:2], "little")] = _wide_text(body, 2)[0]
        elif kind in (_CELL_STYLES, _END_OF_CELL_STYLES):
            is_inside = kind == _CELL_STYLES
        elif kind == _STYLE and is_inside and len(body) >= 4:
            formats.append(int.from_bytes(body[2:4], "little"))
    return CellStyles.of(formats, texts, BUILT_IN_MOMENTS)


def measure(part: SheetPart, content: bytes, styles: Set[int]) -> None:
    """Count the cells of a sheet and see how far out they lie."""
    row = 0
    for kind, body in _records(content):
        if kind == _ROW and len(body) >= 4:
            row = int.from_bytes(body[:4], "little")
        elif kind in _CELLS and kind != _BLANK and len(body) >= 8:
            column = int.from_bytes(body[:4], "little")
            part.tags += 1
            part.cells += 1
            part.rows, part.columns = max(part.rows, row + 1), max(part.columns, column + 1)
            if kind in _ERROR_RECORDS and len(body) > 8:
                part.add_error(_ERRORS.get(body[8], UNKNOWN_ERROR), row, column)
            elif kind in _NUMBER_RECORDS and (style := int.from_bytes(body[4:7], "little")) in styles:
                part.add_styled(style, row, column)
            elif kind == _SHARED_RECORD and len(body) >= 12:
                part.shared.append(int.from_bytes(body[8:12], "little"))
        elif kind == _MERGED and len(body) >= 16:
            first_row, last_row, first_column, last_column = struct.unpack_from("<IIII", body)
            part.add_merged(Area(first_row, first_column, last_row, last_column))


def text_lengths(content: bytes) -> Iterator[int]:
    """Bytes of each shared text."""
    return (len(body) for kind, body in _records(content) if kind == _SHARED_ITEM)


def record(kind: int, body: bytes = b"") -> bytes:
    """A record, its length in the two bytes that are enough for all that is written here."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body


def workbook_of(relations: list[str], *, epoch_1904: bool) -> bytes:
    """The part that lists sheets by their relations, each named as its relation is."""
    listed = (
        record(_BUNDLED_SHEET, struct.pack("<II", 0, number) + _as_wide_text(each) * 2)
        for number, each in enumerate(relations, start=1)
    )
    head = record(131) + record(_PROPERTIES, struct.pack("<III", epoch_1904, 0, 0)) + record(143)
    return head + b"".join(listed) + record(144) + record(132)


def _as_wide_text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _wide_text(body: memoryview, at: int) -> tuple[str, int]:
    (count,) = struct.unpack_from("<I", body, at)
    end = at + 4 + 2 * count
    return bytes(body[at + 4 : end]).decode("utf-16-le", "replace"), end


def _records(content: bytes) -> Iterator[tuple[int, memoryview]]:
    """The records of a part; a cut one ends them."""
    view, at, end = memoryview(content), 0, len(content)
    while at < end:
        kind = view[at]
        at += 1
        if kind & 0x80 and at < end:
            kind = (kind & 0x7F) | (view[at] & 0x7F) << 7
            at += 1
        size = shift = 0
        while at < end and shift < 28:
            byte = view[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield kind, view[at : at + size]
        at += size
