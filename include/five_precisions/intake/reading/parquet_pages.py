"""The pages of a Parquet file, measured before the library unpacks one: what its footer says of sizes may be untrue.

Each page has a header of its own, and what stands there is what the library sets aside for it. So all headers are read
first, from where the footer says that a column begins, and what they say is counted. A footer is a structure of the
same kind, and of a few bytes may come many objects; so it is counted, too, before the library reads it.

The format: https://github.com/apache/parquet-format, `src/main/thrift/parquet.thrift` (FileMetaData, PageHeader), in
the coding of https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

import itertools
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, TypeAlias

from five_precisions.intake.reading.sheet import (
    Limits,
    UnreadableFileError,
    too_many_cells,
    too_much_text,
    unpacked_too_large,
)

_MAGIC: Final = b"PAR1"
_MAGIC_OF_ENCRYPTED: Final = b"PARE"
_TRAILER: Final = struct.Struct("<I4s")
"""Length of the footer, and the magic again: the last bytes of the file."""
_MOST_FOOTER_BYTES: Final = 4 * 1024**2
"""Of an honest file with 200 columns in 100 row groups, about as much."""
_MOST_PARTS: Final = 250_000
"""Of a footer: structures, and members of lists; in memory each takes up to a kilobyte."""
_MOST_PAGES: Final = 100_000
_MOST_PAGE_BYTES: Final = 128 * 1024**2
"""Unpacked; it is held beside all that is made of it. Writers begin a new page after one megabyte."""
_MOST_PARTS_OF_A_PAGE: Final = 100
"""Of its header: fields and structures; an honest one has two dozen."""
_DEEPEST: Final = 32
_LEFT_OUT_OF_SIZE: Final = 100
"""So many bytes at most did writers before 2014 leave out of a column's size (PARQUET-816); Arrow reads them too."""
_BYTES_OF_A_NUMBER: Final = 10
_ANOTHER_BYTE: Final = 0x80
_SIZE_FOLLOWS: Final = 0xF


class _Kind(IntEnum):
    """Of a value (Thrift compact protocol, Struct encoding)."""

    STOP = 0
    TRUE = 1
    FALSE = 2
    I8 = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    MAP = 11
    STRUCT = 12
    UUID = 13


_WIDTHS: Final = {_Kind.I8: 1, _Kind.DOUBLE: 8, _Kind.UUID: 16}

_Form: TypeAlias = "Mapping[int, _Kind | _Form]"
"""What stands in the lists of a structure, by field: values of one kind, or structures of this form."""

_Structure: TypeAlias = "dict[tuple[int, _Kind], Any]"
"""Its numbers, structures, and lists of structures, by field and kind."""

_SIZES: Final[_Form] = {2: _Kind.I64, 3: _Kind.I64}
_PLACES: Final[_Form] = {2: _Kind.I32}
_COLUMN_METADATA: Final[_Form] = {2: _Kind.I32, 3: _Kind.BINARY, 8: {}, 13: {}, 16: _SIZES, 17: _PLACES}
_COLUMN_CHUNK: Final[_Form] = {3: _COLUMN_METADATA, 8: {2: {1: _Kind.BINARY}}}
_ROW_GROUP: Final[_Form] = {1: _COLUMN_CHUNK, 4: {}}
_FILE_METADATA: Final[_Form] = {2: {}, 4: _ROW_GROUP, 5: {}, 7: {}}

_TYPE: Final = (1,)
_UNPACKED_SIZE: Final = (2,)
_PACKED_SIZE: Final = (3,)


@dataclass(frozen=True, slots=True)
class _PageKind:
    """Where the header of a page says what is in it."""

    values: tuple[int, int]
    encoding: tuple[int, int]


_DICTIONARY_PAGE: Final = 2
_DATA_PAGES: Final = {0: _PageKind((5, 1), (5, 2)), 3: _PageKind((8, 1), (8, 4))}
_VALUES_OF_DICTIONARY: Final = (7, 1)
_BYTES: Final = "BYTE_ARRAY"
_BYTES_OF_ONE_LENGTH: Final = "FIXED_LEN_BYTE_ARRAY"
_UNBOUNDED_ENCODINGS: Final = {6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY"}
"""How many texts there are stands in the packed page only, and Arrow takes its word for it."""


def damaged_parquet() -> UnreadableFileError:
    """For a file that is no Parquet, or contradicts itself."""
    return UnreadableFileError("Parquet 文件已损坏，打不开，请重新导出后报送。")


def locked_parquet() -> UnreadableFileError:
    """For a file whose footer is encrypted."""
    return UnreadableFileError("Parquet 文件已加密，请不加密重新导出后报送。")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column in a row group, as the footer describes it."""

    values: int
    packed_bytes: int
    data_offset: int
    dictionary_offset: int


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group, as the footer describes it."""

    rows: int
    chunks: list[Chunk]


def measure_footer(content: bytes) -> list[RowGroup]:
    """Hold the footer against what one may be, before the library reads it; its row groups.

    They are not asked of the library: of a column whose statistics contradict its schema, pyarrow ends the program.

    Raises:
        UnreadableFileError: it is damaged, encrypted, or far larger than a report's.
    """
    begin = _begin_of_footer(content)
    end = len(content) - _TRAILER.size
    if end - begin > _MOST_FOOTER_BYTES:
        raise UnreadableFileError(
            f"Parquet 文件的目录（footer）超过{_MOST_FOOTER_BYTES // 1024**2}MB，请减少行组和附加信息后重新导出报送。"
        )
    footer = _Compact(content, begin, end, _MOST_PARTS).structure(_FILE_METADATA)
    try:
        return [
            RowGroup(
                group[3, _Kind.I64],
                [_chunk(chunk[3, _Kind.STRUCT]) for chunk in group[1, _Kind.LIST]],
            )
            for group in footer[4, _Kind.LIST]
        ]
    except KeyError as error:
        raise damaged_parquet() from error


def _chunk(column: _Structure) -> Chunk:
    return Chunk(
        values=column[5, _Kind.I64],
        packed_bytes=column[7, _Kind.I64],
        data_offset=column[9, _Kind.I64],
        dictionary_offset=column.get((11, _Kind.I64), 0),
    )


def measure_pages(content: bytes, groups: list[RowGroup], schema: Any, limits: Limits) -> list[int]:
    """Hold all pages against the limits, before the library reads one.

    Args:
        content: The file.
        groups: Its row groups.
        schema: Its columns (`pyarrow.parquet.ParquetSchema`); none is nested.
        limits: What they may measure.

    Returns:
        Of each column of texts the bytes that one of its texts may have by a dictionary, else 0.

    Raises:
        UnreadableFileError: they are too large or too many, share bytes, or run out of the file. Or they are damaged,
            or of a coding whose size cannot be told.
    """
    columns = [schema.column(at) for at in range(len(schema))]
    if any(group.rows < 0 or len(group.chunks) != len(columns) for group in groups):
        raise damaged_parquet()
    rows = sum(group.rows for group in groups)
    if (
        rows * sum(each.length for each in columns if each.physical_type == _BYTES_OF_ONE_LENGTH)
        > limits.unpacked_bytes
    ):
        raise unpacked_too_large(limits)
    found = _Found(content, _begin_of_footer(content), limits)
    largest = [0] * len(columns)
    for group in groups:
        for at, (chunk, column) in enumerate(zip(group.chunks, columns, strict=True)):
            size = found.add(chunk, column, group.rows)
            if column.physical_type == _BYTES:
                largest[at] = max(largest[at], size)
    found.refuse_shared_bytes()
    return largest


def _begin_of_footer(content: bytes) -> int:
    if len(content) < len(_MAGIC) + _TRAILER.size:
        raise damaged_parquet()
    length, magic = _TRAILER.unpack(content[-_TRAILER.size :])
    if _MAGIC_OF_ENCRYPTED in (magic, content[: len(_MAGIC)]):
        raise locked_parquet()
    begin = len(content) - _TRAILER.size - length
    if magic != _MAGIC or begin < len(_MAGIC):
        raise damaged_parquet()
    return int(begin)


@dataclass(slots=True)
class _Found:
    """What has been found in the pages of a file so far."""

    content: bytes
    end: int
    limits: Limits
    unpacked: int = 0
    pages: int = 0
    dictionary_bytes: int = 0
    dictionary_values: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)

    def add(self, chunk: Chunk, column: Any, rows: int) -> int:
        """Count the pages of a column (`pyarrow.parquet.ColumnSchema`) in a row group; bytes of its dictionary.

        As Arrow reads them: from the dictionary, if one is named, until all values have been seen.
        """
        begin = chunk.data_offset
        if 0 < chunk.dictionary_offset < begin:
            begin = chunk.dictionary_offset
        end = min(self.end, begin + chunk.packed_bytes + _LEFT_OUT_OF_SIZE)
        if begin < 0 or chunk.packed_bytes < 0:
            raise damaged_parquet()
        at, seen, size = begin, 0, 0
        # A column's values, empty ones among them, are as many as its rows.
        if chunk.values > rows:
            raise damaged_parquet()
        while seen < chunk.values:
            reader = _Compact(self.content, at, end, _MOST_PARTS_OF_A_PAGE)
            header = reader.integers()
            packed, unpacked = header[_PACKED_SIZE], header[_UNPACKED_SIZE]
            at = reader.at + packed
            if packed < 0 or unpacked < 0 or at > end:
                raise damaged_parquet()
            self._count(max(packed, unpacked))
            if header[_TYPE] == _DICTIONARY_PAGE:
                size = max(size, unpacked)
                self._count_dictionary(max(packed, unpacked), header[_VALUES_OF_DICTIONARY])
            elif page := _DATA_PAGES.get(header[_TYPE]):
                if header[page.values] < 0:
                    raise damaged_parquet()
                seen += header[page.values]
                if seen > chunk.values:
                    raise damaged_parquet()
                _refuse_unbounded(column, header[page.encoding])
        self.spans.append((begin, at))
        return size

    def refuse_shared_bytes(self) -> None:
        """Refuse a file of which the same bytes would be unpacked again and again."""
        spans = sorted(span for span in self.spans if span[0] < span[1])
        if any(end > begin for (_, end), (begin, _) in itertools.pairwise(spans)):
            raise damaged_parquet()

    def _count(self, size: int) -> None:
        self.pages += 1
        self.unpacked += size
        if self.unpacked > self.limits.unpacked_bytes:
            raise unpacked_too_large(self.limits)
        if size > _MOST_PAGE_BYTES:
            raise UnreadableFileError(
                f"Parquet 文件的一页（page）解压后超过{_MOST_PAGE_BYTES // 1024**2}MB，请用默认设置重新导出后报送。"
            )
        if self.pages > _MOST_PAGES:
            raise UnreadableFileError(f"Parquet 文件超过{_MOST_PAGES}页，请用默认设置重新导出后报送。")

    def _count_dictionary(self, size: int, values: int) -> None:
        # The library holds a dictionary several times over.
        self.dictionary_bytes += size
        self.dictionary_values += values
        if values < 0:
            raise damaged_parquet()
        if self.dictionary_bytes > self.limits.text_bytes:
            raise too_much_text(self.limits)
        if self.dictionary_values > self.limits.cells:
            raise too_many_cells(self.limits)


def _refuse_unbounded(column: Any, encoding: int) -> None:
    if encoding in _UNBOUNDED_ENCODINGS and column.physical_type in (_BYTES, _BYTES_OF_ONE_LENGTH):
        raise UnreadableFileError(
            f"列“{column.path}”的编码方式（{_UNBOUNDED_ENCODINGS[encoding]}）不能接收，"
            "请改用 PLAIN 或字典编码重新导出后报送。"
        )


class _Compact:
    """A structure in Thrift's compact protocol, read within bounds.

    Where a field is not of the kind that it should be, or a number too large, the library's reader is followed.
    """

    def __init__(self, content: bytes, at: int, end: int, most_parts: int) -> None:
        self.at = at
        self._content = content
        self._end = end
        self._parts_left = most_parts

    def integers(self) -> dict[tuple[int, ...], int]:
        """The numbers of 32 bits in the structure that begins here, by their fields from the outermost; others are 0.

        Raises:
            UnreadableFileError: there is no structure, or it is not within its bounds.
        """
        found: dict[tuple[int, ...], int] = defaultdict(int)
        self._take_integers((), found)
        return found

    def structure(self, form: _Form, depth: int = 0) -> _Structure:
        """The structure that begins here, counting what is in it.

        Raises:
            UnreadableFileError: there is no structure of this form, it is not within its bounds, or has too much in it.
        """
        self._count(1)
        found: _Structure = {}
        for number, kind in self._fields(depth):
            if (number, kind) in found:
                raise damaged_parquet()
            found[number, kind] = self._value(kind, form.get(number, {}), depth + 1, known=number in form)
        return found

    def _take_integers(self, path: tuple[int, ...], found: dict[tuple[int, ...], int]) -> None:
        self._count(1)
        for number, kind in self._fields(len(path)):
            self._count(1)
            if kind is _Kind.I32:
                found[(*path, number)] = self._integer()
            elif kind is _Kind.STRUCT:
                self._take_integers((*path, number), found)
            else:
                self._value(kind, {}, len(path) + 1)

    def _fields(self, depth: int) -> Iterator[tuple[int, _Kind]]:
        if depth > _DEEPEST:
            raise damaged_parquet()
        number = 0
        while True:
            head = self._byte()
            step, kind = head >> 4, _kind(head & 0xF)
            if kind is _Kind.STOP:
                return
            number = _of_bits(16, number + step if step else self._integer())
            yield number, kind

    def _value(self, kind: _Kind, form: _Kind | _Form, depth: int, *, known: bool = False) -> Any:
        match kind:
            case _Kind.TRUE | _Kind.FALSE:
                pass
            case _Kind.I16 | _Kind.I32 | _Kind.I64:
                return self._integer(64)
            case _Kind.BINARY:
                self._advance(self._varint())
            case _Kind.LIST | _Kind.SET:
                return self._list(form, depth, known=known)
            case _Kind.MAP:
                self._skip_map(depth)
            case _Kind.STRUCT:
                return self.structure(form if isinstance(form, Mapping) else {}, depth)
            case _:
                self._advance(_WIDTHS[kind])
        return None

    def _list(self, form: _Kind | _Form, depth: int, *, known: bool) -> list[Any]:
        head = self._byte()
        size, kind = head >> 4, _kind(head & 0xF)
        if size == _SIZE_FOLLOWS:
            size = self._varint()
        # The library's reader takes the members for what they should be, whatever the list says that they are.
        if known and size and kind is not (form if isinstance(form, _Kind) else _Kind.STRUCT):
            raise damaged_parquet()
        self._count(size)
        return [self._member(kind, form, depth + 1) for _ in range(size)]

    def _skip_map(self, depth: int) -> None:
        size = self._varint()
        if not size:
            return
        self._count(2 * size)
        kinds = self._byte()
        for _ in range(size):
            self._member(_kind(kinds >> 4), {}, depth + 1)
            self._member(_kind(kinds & 0xF), {}, depth + 1)

    def _member(self, kind: _Kind, form: _Kind | _Form, depth: int) -> Any:
        if depth > _DEEPEST or kind is _Kind.STOP:
            raise damaged_parquet()
        if kind in (_Kind.TRUE, _Kind.FALSE):
            # In a field its kind is its value; here it takes a byte.
            self._advance(1)
            return None
        return self._value(kind, form, depth)

    def _count(self, parts: int) -> None:
        self._parts_left -= parts
        if self._parts_left < 0:
            raise UnreadableFileError("Parquet 文件的目录信息过于庞杂，请减少行组、列和附加信息后重新导出报送。")

    def _byte(self) -> int:
        self._advance(1)
        return self._content[self.at - 1]

    def _advance(self, size: int) -> None:
        self.at += size
        if self.at > self._end:
            raise damaged_parquet()

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 7 * _BYTES_OF_A_NUMBER, 7):
            byte = self._byte()
            value |= (byte & ~_ANOTHER_BYTE) << shift
            if byte < _ANOTHER_BYTE:
                return value
        raise damaged_parquet()

    def _integer(self, bits: int = 32) -> int:
        value = self._varint()
        return _of_bits(bits, (value & (1 << bits) - 1) >> 1 ^ -(value & 1))


def _of_bits(bits: int, value: int) -> int:
    """As a signed number of so many bits holds it."""
    half = 1 << bits - 1
    return (value + half) % (2 * half) - half


def _kind(number: int) -> _Kind:
    try:
        return _Kind(number)
    except ValueError:
        raise damaged_parquet() from None
