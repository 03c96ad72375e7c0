"""The records of a .xls, measured before the library reads them: a few bytes may stand for millions of objects there.

The library keeps a hyperlink once for every cell that it spans. It works out a name's formula, and reads a sheet as
often as it is listed. So of the stream only those records are left that cells consist of, and they are counted first.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from dataclasses import dataclass
from typing import Final

from five_precisions.intake.reading.compound_file import stream_of
from five_precisions.intake.reading.default_password import refuse_records
from five_precisions.intake.reading.merged_areas import MOST_AREAS
from five_precisions.intake.reading.sheet import MOST_SHEETS, Area, Limits, damaged, too_many_cells

_BOF: Final = 0x0809
"""Of Excel 5 and newer: what is older comes in no compound file."""
_EOF: Final = 0x000A
_BOUNDSHEET: Final = 0x0085
_WORKSHEET: Final = 0
_MULRK: Final = 0x00BD
_SINGLE_CELLS: Final = frozenset(
    {0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x0206, 0x027E, 0x0406}
)
"""Numbers, texts, booleans, errors and formulas of all versions."""
_BLANKS: Final = frozenset({0x0001, 0x0201, 0x00BE})
_OF_FORMULAS: Final = frozenset({0x0007, 0x0207, 0x0021, 0x0221, 0x04BC, 0x0036, 0x0037, 0x0236})
"""What may follow one before its text."""
_LOOKS: Final = frozenset({0x0031, 0x0231, 0x001E, 0x041E, 0x0043, 0x0243, 0x0443, 0x00E0})
"""Fonts, formats of numbers, styles of cells."""
_SETTINGS: Final = frozenset({0x0000, 0x0200, 0x0022, 0x002F, 0x0042, 0x0044, 0x0056, 0x008E, 0x008F})
"""Extent, date system, password, code page, and how styles and sheets of old versions are counted."""
_TEXTS: Final = frozenset({0x00FC, 0x003C})
"""Shared texts, and what continues a record."""
_KEPT: Final = frozenset(
    {_BOF, _EOF, _BOUNDSHEET, _MULRK, *_SINGLE_CELLS, *_BLANKS, *_OF_FORMULAS, *_LOOKS, *_SETTINGS, *_TEXTS}
)
_PASSWORD: Final = 0x002F
_RECORDS_BEFORE_PASSWORD: Final = 16
_MERGED: Final = 0x00E5
_PASSED_OVER: Final = 0xFFFF
"""A kind that no record has."""
_AROUND_NUMBERS: Final = 6
_BYTES_OF_A_NUMBER: Final = 6
_MOST_LOOKS: Final = 65_536
"""Of each kind: a cell names its own in two bytes."""


@dataclass(frozen=True, slots=True)
class CellRecords:
    """What is left of the stream of a workbook."""

    stream: bytes
    merged: list[list[Area]]
    """Of each sheet with cells, in the order in which they are listed."""


def cell_records(content: bytes, limits: Limits) -> CellRecords:
    """The stream of a workbook in a compound file, with all records passed over that are nothing of its cells.

    Raises:
        UnreadableFileError: it is encrypted, or has more cells, sheets or styles than a workbook can have.
        struct.error: the compound file, or a record, is cut.
    """
    stream = bytearray(stream_of(content, "Workbook", "Book"))
    _refuse_encrypted(stream)
    found: Counter[int] = Counter()
    begins = [0]
    ends = [_pass_over(stream, 0, found, begins)]
    if len(begins) > 1 + MOST_SHEETS:
        raise damaged()
    merged: list[list[Area]] = []
    for begin in begins[1:]:
        merged.append([])
        ends.append(_pass_over(stream, begin, found, merged=merged[-1]))
        if sum(found[kind] for kind in _SINGLE_CELLS) + found[_MULRK] > limits.cells:
            raise too_many_cells(limits)
    if any(found[kind] > _MOST_LOOKS for kind in _LOOKS):
        raise damaged()
    # What lies over one another would be read again and again.
    spans = sorted(zip(begins, ends, strict=True))
    if any(end > begin for (_, end), (begin, _) in itertools.pairwise(spans)):
        raise damaged()
    return CellRecords(bytes(stream), merged)


def _refuse_encrypted(stream: bytearray) -> None:
    """What a record says of the encryption stands among the first ones, and is itself in the clear."""
    at = 0
    for _ in range(_RECORDS_BEFORE_PASSWORD):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == _PASSWORD:
            refuse_records(bytes(stream[at + 4 : at + 4 + size]))
        at += 4 + size
        if at + 4 > len(stream):
            return


def _pass_over(
    stream: bytearray,
    begin: int,
    found: Counter[int],
    sheets: list[int] | None = None,
    merged: list[Area] | None = None,
) -> int:
    """Pass over what is not kept of one part of the stream, counting the rest as the library would read it; its end.

    Args:
        stream: The whole.
        begin: Where the part begins.
        found: Kinds of records, and of several numbers in one record each number.
        sheets: Takes the places of the sheets that are listed.
        merged: Takes the merged areas, up to a bound.
    """
    header = struct.Struct("<HH")
    at, end = begin, len(stream)
    is_begun = is_in_chart = False
    while at + 4 <= end:
        kind, size = header.unpack_from(stream, at)
        if not is_begun:
            if kind != _BOF:
                raise damaged()
            is_begun = True
        elif kind == _EOF:
            if not is_in_chart:
                return at + 4
            is_in_chart = False
        elif kind == _BOF:
            is_in_chart = True
        elif kind not in _KEPT:
            if kind == _MERGED and merged is not None:
                merged += _areas(stream[at + 4 : at + 4 + size])[: MOST_AREAS - len(merged)]
            header.pack_into(stream, at, _PASSED_OVER, size)
        elif kind == _BOUNDSHEET and sheets is not None:
            place, _, sort = struct.unpack_from("<IBB", stream, at + 4)
            if sort == _WORKSHEET:
                sheets.append(place)
        else:
            found[kind] += max(0, size - _AROUND_NUMBERS) // _BYTES_OF_A_NUMBER if kind == _MULRK else 1
        at += 4 + size
    return end


def _areas(body: bytearray) -> list[Area]:
    """The areas of one record: their number, then first and last row, first and last column of each."""
    whole = len(body[2:]) // 8 * 8
    return [
        Area(top, left, bottom, right) for top, bottom, left, right in struct.iter_unpack("<HHHH", body[2 : 2 + whole])
    ]
