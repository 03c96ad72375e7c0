"""The one stream that is wanted of a compound file ([MS-CFB]), however odd the rest of it is.

Programs leave much in such files that spreadsheet programs never look at: a root whose small sectors overlap others,
chains that end in another mark than the usual one. Only the chain of the stream itself must be sound.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from five_precisions.intake.reading.sheet import damaged

_SHIFTS: Final = frozenset({9, 12})
"""Sectors have 512 or 4,096 bytes."""
_LAST_SECTOR: Final = 0xFFFFFFF9
"""What is above marks an end, or sectors with a use of their own."""
_TABLES_IN_HEADER: Final = 109
_ENTRY: Final = 128
_STREAM: Final = 2
_MOST_ENTRIES: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class _Sectors:
    """Sectors of one size, and the table that says which one follows which."""

    def __init__(self, content: bytes, first: int, shift: int) -> None:
        self._content, self._first, self._shift = content, first, shift
        self.count = max(0, len(content) - first + (1 << shift) - 1 >> shift)
        self.table = array("I")

    def sector(self, number: int) -> bytes:
        """The bytes of a sector; the last one may be cut."""
        begin = self._first + (number << self._shift)
        return self._content[begin : begin + (1 << self._shift)]

    def chain(self, start: int) -> Iterator[int]:
        """The sectors of a stream, in order.

        Raises:
            UnreadableFileError: they run in a circle, or out of the file.
        """
        number, left = start, self.count
        while number <= _LAST_SECTOR:
            if left == 0 or number >= min(self.count, len(self.table)):
                raise damaged()
            left -= 1
            yield number
            number = self.table[number]

    def read(self, start: int, size: int | None = None) -> bytes:
        """The bytes of a stream, all of them where no size is known.

        Raises:
            UnreadableFileError: there are fewer than its size says.
        """
        pieces, read = [], 0
        for number in self.chain(start):
            pieces.append(self.sector(number))
            read += len(pieces[-1])
            if size is not None and read >= size:
                break
        if size is not None and read < size:
            raise damaged()
        return b"".join(pieces)[:size]


def stream_of(content: bytes, *names: str) -> bytes:
    """The bytes of the first of these streams that is in the root of the file.

    Raises:
        UnreadableFileError: there is none, or it is not whole.
        struct.error: the header or the directory is cut.
    """
    (shift, small_shift) = struct.unpack_from("<HH", content, 30)
    directory, cutoff, small_table = struct.unpack_from("<I4xII", content, 48)
    if shift not in _SHIFTS or small_shift >= shift:
        raise damaged()
    sectors = _Sectors(content, 1 << shift, shift)
    _read_table(sectors, content)
    entries = _entries(sectors.read(directory))
    entry = _found(entries, names)
    if entry.size >= cutoff:
        return sectors.read(entry.start, entry.size)
    small = _Sectors(sectors.read(entries[0].start, entries[0].size), 0, small_shift)
    small.table.frombytes(sectors.read(small_table))
    return small.read(entry.start, entry.size)


def _read_table(sectors: _Sectors, content: bytes) -> None:
    """Put the table together from its sectors, whose numbers are in the header and in sectors of their own."""
    numbers = list(struct.unpack_from(f"<{_TABLES_IN_HEADER}I", content, 76))
    more, sectors_of_more = struct.unpack_from("<II", content, 68)
    # No more of them than are needed to name all sectors.
    for _ in range(min(sectors_of_more, sectors.count // _TABLES_IN_HEADER + 1)):
        if more >= sectors.count:
            break
        sector = sectors.sector(more)
        *listed, more = struct.unpack(f"<{len(sector) // 4}I", sector)
        numbers += listed
    used = [number for number in numbers if number < sectors.count]
    if len(used) > sectors.count:
        raise damaged()
    for number in used:
        sectors.table.frombytes(sectors.sector(number))


def _entries(directory: bytes) -> list[_Entry]:
    if len(directory) > _MOST_ENTRIES * _ENTRY:
        raise damaged()
    entries: list[_Entry] = []
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        length, kind, _, left, right, child = struct.unpack_from("<HBBIII", directory, at + 64)
        # Of the size only the lower half: old programs left anything in the upper one.
        start, size = struct.unpack_from("<II", directory, at + 116)
        name = directory[at : at + min(max(length - 2, 0), 64)].decode("utf-16-le", "replace")
        entries.append(_Entry(name.casefold(), kind, left, right, child, start, size))
    return entries


def _found(entries: list[_Entry], names: tuple[str, ...]) -> _Entry:
    """By the tree below the root: workbooks that are embedded in this one have streams of the same names."""
    in_root: dict[str, _Entry] = {}
    waiting, seen = [entries[0].child], set[int]()
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        waiting += [entry.left, entry.right]
        if entry.kind == _STREAM:
            in_root.setdefault(entry.name, entry)
    found = next((in_root[name.casefold()] for name in names if name.casefold() in in_root), None)
    if found is None:
        raise damaged()
    return found
