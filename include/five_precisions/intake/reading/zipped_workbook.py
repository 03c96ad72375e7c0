"""Workbooks that are zip files: .xlsx (with macros or without), .xlsb, .ods (docs/intake.md#bad-input).

The library that reads the first two makes room for the whole area between the outermost cells. Where no room is left
it ends the process. So a file is measured while it is unpacked, with running counts, before it is read: what its
directory and its dimensions say can be forged. The same look finds what that library leaves out: the texts of error
cells, and the date system.
"""

from __future__ import annotations

import io
import itertools
import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from five_precisions.intake.reading.delivered_xml import Head, read_tags, unknown_encoding
from five_precisions.intake.reading.opendocument import is_opendocument, read_opendocument
from five_precisions.intake.reading.sheet import (
    MOST_SHEETS,
    Limits,
    Sheet,
    as_cell,
    as_percent,
    damaged,
    locked,
    refuse_too_large,
    too_many_cells,
    too_much_text,
    unpacked_too_large,
)
from five_precisions.reports.cells import Cell

_CHUNK: Final = 1 << 20
_MOST_MEMBERS: Final = 10_000
_WIDEST: Final = 1 << 32
_LONGEST_ADDRESS: Final = 24
"""Bytes from the tag on: no address that can be counted with is longer."""
_CAPITAL: Final = 0xDF
"""Mask that makes a letter a capital."""
_TAGS_OF_A_CELL: Final = 64
"""Bytes, generously: what a part holds beyond, is text."""
_UNPACKING_ERRORS: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
_MANIFEST: Final = "META-INF/manifest.xml"
_XML_WORKBOOK: Final = "xl/workbook.xml"
_BINARY_WORKBOOK: Final = "xl/workbook.bin"
_SHARED_TEXTS: Final = "xl/sharedstrings.xml"
_STYLES: Final = "xl/styles.xml"
_READ_BY_LIBRARY: Final = frozenset(
    {"_rels/.rels", *(f"xl/_rels/workbook.{kind}.rels" for kind in ("xml", "bin"))}
    | {_XML_WORKBOOK, _STYLES, _SHARED_TEXTS}
)
_XML: Final = (".xml", ".rels")
_PERCENT_FORMATS: Final = frozenset({"9", "10"})
_LARGEST_SMALL_PART: Final = 32 << 20
"""Bytes of one that is read whole: styles, the list of sheets, relations."""
_MOST_STYLES: Final = 65_536
"""More than a spreadsheet can have."""
_PLAIN_KINDS: Final = frozenset({str, float, int, bool, date, datetime})

_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)")
_FILLED_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)[^<>]*(?<!/)>\s*<(?!/)")
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_ANY_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\s(?=[^<>]*\bt\s*=\s*[\"']e[\"'])[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)[\"'][^<>]*>"
    rb"(?:\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v>([^<]*)<"
)
_SHARED_INDEX = re.compile(rb"<(?:\w+:)?c\s[^<>]*\bt\s*=\s*[\"']s[\"'][^<>]*>\s*<(?:\w+:)?v>\s*([0-9]{1,9})")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si[\s>/]")

# Records of .xlsb that matter here ([MS-XLSB] 2.4): a row's number, cells, the workbook's properties and its sheets.
_ROW: Final = 0
_CELLS: Final = range(1, 12)
_BLANK: Final = 1
_NUMBER_RECORDS: Final = frozenset({2, 5, 9})
_ERROR_RECORDS: Final = frozenset({3, 11})
_SHARED_RECORD: Final = 7
_TEXT_RECORDS: Final = frozenset({6, 8})
_SHARED_ITEM: Final = 19
_FORMAT: Final = 44
_STYLE: Final = 47
_CELL_STYLES: Final = 617
_END_OF_CELL_STYLES: Final = 618
_PROPERTIES: Final = 153
_BUNDLED_SHEET: Final = 156
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
_UNKNOWN_ERROR: Final = "#VALUE!"
_MOST_ERRORS: Final = 1_000
"""Texts of errors that are told apart."""


def _numbers() -> array[int]:
    """Whole numbers in eight bytes each: there may be as many of them as cells."""
    return array("Q")


def _place(row: int, column: int) -> int:
    """Row and column, from 0, as one number."""
    return row * _WIDEST + column


@dataclass(slots=True)
class _Part:
    """What one member of the zip was found to hold."""

    size: int = 0
    is_utf8: bool = True
    """Nothing says that it is in another encoding."""
    tags: int = 0
    """Cells, the empty ones too."""
    cells: int = 0
    """Cells with something in them."""
    rows: int = 0
    columns: int = 0
    """Of the area that its cells span, the empty ones too."""
    has_addresses: bool = True
    """Every cell says where it stands."""
    errors: dict[str, array[int]] = field(default_factory=dict)
    """By the text of the error: places of its cells."""
    percents: array[int] = field(default_factory=_numbers)
    """Places of numbers that are shown as percents."""
    shared: array[int] = field(default_factory=_numbers)
    """Of .xlsb: which shared texts its cells show."""

    def add_error(self, text: str, row: int, column: int) -> None:
        if len(self.errors) > _MOST_ERRORS:
            text = _UNKNOWN_ERROR
        self.errors.setdefault(text, _numbers()).append(_place(row, column))


@dataclass(slots=True)
class _Book:
    """What the workbook's own part says."""

    sheets: list[tuple[str, str]]
    """Name and part of each sheet, in order."""
    epoch_1904: bool


def read_zipped_workbook(name: str, content: bytes, limits: Limits) -> list[Sheet]:
    """The sheets of a workbook that is a zip file.

    Raises:
        UnreadableFileError: it is damaged, encrypted or too large (F01).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_encrypted(archive, limits)
            _refuse_overlapping(archive)
            if is_opendocument(archive):
                for _ in _chunks(archive, limits):
                    # Measured, and looked at for declarations.
                    pass
                return read_opendocument(name, archive, limits)
            is_binary = _BINARY_WORKBOOK in archive.namelist()
            parts = _measured(archive, limits, is_binary=is_binary)
            _refuse_too_many_cells(archive, parts, limits, is_binary=is_binary)
            book = _binary_book(archive, limits) if is_binary else _xml_book(archive, limits)
            _refuse_shared_parts(book)
            _refuse_other_encodings(book, parts)
    except _UNPACKING_ERRORS as error:
        raise damaged() from error
    return [Sheet(name, title, rows, book.epoch_1904) for title, rows in _read(content, limits, book=book, parts=parts)]


def _refuse_encrypted(archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise damaged()
    if any(member.flag_bits & 1 for member in members):
        raise locked()
    if _MANIFEST in archive.namelist():
        tags = read_tags(_small_part(archive, _MANIFEST, limits), may_name_type=True)
        if any(tag.name == "encryption-data" for tag in tags):
            raise locked()


def _refuse_overlapping(archive: zipfile.ZipFile) -> None:
    """Members that share their bytes make a bomb: only newer versions of Python refuse them by themselves."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    for former, latter in itertools.pairwise(members):
        if former.header_offset + former.compress_size > latter.header_offset:
            raise damaged()


def _chunks(archive: zipfile.ZipFile, limits: Limits) -> Iterator[tuple[str, bytes, Head]]:
    """The members' names, their bytes, piece by piece, with a running count, and what is known of their heads."""
    unpacked = 0
    for member in archive.infolist():
        head = Head()
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > limits.unpacked_bytes:
                    raise unpacked_too_large(limits)
                if not head.is_over:
                    head.look(chunk)
                yield member.filename, chunk, head


def _measured(archive: zipfile.ZipFile, limits: Limits, *, is_binary: bool) -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    percents = _binary_percent_styles(archive, limits) if is_binary else _percent_styles(archive, limits)
    percent_cell = (
        re.compile(
            rb"<(?:\w+:)?c\s(?=[^<>]*\bs\s*=\s*[\"'](?:%s)[\"'])(?![^<>]*\bt\s*=\s*[\"'][^n])[^<>]*?"
            rb"\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)" % b"|".join(str(style).encode() for style in sorted(percents))
        )
        if percents
        else None
    )
    name, rest = "", b""
    for member, chunk, head in _chunks(archive, limits):
        if member != name:
            _measure_xml(parts.setdefault(name, _Part()), rest, percent_cell)
            name, rest = member, b""
        part = parts.setdefault(name, _Part())
        part.size += len(chunk)
        part.is_utf8 = head.is_utf8
        if not is_binary:
            block = rest + chunk
            # A cell that the end of the piece cuts in two belongs to the next one.
            cut = max(block.rfind(b"<c "), block.rfind(b":c ") - 16)
            whole, rest = (block[:cut], block[cut:]) if cut > 0 and len(block) - cut < _CHUNK else (block, b"")
            _measure_xml(part, whole, percent_cell)
    _measure_xml(parts.setdefault(name, _Part()), rest, percent_cell)
    for name, part in parts.items():
        if part.size - part.tags * _TAGS_OF_A_CELL > limits.text_bytes:
            raise too_much_text(limits)
        if is_binary and name.endswith(".bin"):
            _measure_binary(part, archive.read(name), percents)
    return parts


def _percent_styles(archive: zipfile.ZipFile, limits: Limits) -> set[int]:
    """Which styles of cells show a number as a percent: it is a hundredth of what a person reads there."""
    name = next((name for name in archive.namelist() if name.casefold() == _STYLES), None)
    if name is None:
        return set()
    formats: dict[str, str] = {}
    kinds: list[str] = []
    for tag in read_tags(_small_part(archive, name, limits)):
        if tag.name == "numFmt":
            formats[tag.attributes.get("numFmtId", "")] = tag.attributes.get("formatCode", "")
        elif tag.name == "xf" and tag.parent == "cellXfs":
            kinds.append(tag.attributes.get("numFmtId", ""))
    return _percents(kinds, formats)


def _percents(kinds: Sequence[str], formats: Mapping[str, str]) -> set[int]:
    if len(kinds) > _MOST_STYLES or len(formats) > _MOST_STYLES:
        raise damaged()
    return {style for style, kind in enumerate(kinds) if kind in _PERCENT_FORMATS or "%" in formats.get(kind, "")}


def _binary_percent_styles(archive: zipfile.ZipFile, limits: Limits) -> set[int]:
    name = next((name for name in archive.namelist() if name.casefold() == "xl/styles.bin"), None)
    if name is None:
        return set()
    formats: dict[str, str] = {}
    kinds: list[str] = []
    is_inside = False
    for kind, body in _records(b"".join(_small_part(archive, name, limits))):
        if kind == _FORMAT and len(body) >= 6:
            formats[str(int.from_bytes(body[:2], "little"))] = _wide_text(body, 2)[0]
        elif kind in (_CELL_STYLES, _END_OF_CELL_STYLES):
            is_inside = kind == _CELL_STYLES
        elif kind == _STYLE and is_inside and len(body) >= 4:
            kinds.append(str(int.from_bytes(body[2:4], "little")))
    return _percents(kinds, formats)


def _small_part(archive: zipfile.ZipFile, name: str, limits: Limits) -> Iterator[bytes]:
    """The bytes of a part that is no sheet, whatever its directory says of its size."""
    left = min(_LARGEST_SMALL_PART, limits.unpacked_bytes)
    with archive.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise unpacked_too_large(limits)
            yield chunk


def _measure_xml(part: _Part, block: bytes, percent_cell: re.Pattern[bytes] | None) -> None:
    """Count the cells of a piece and see how far out they lie, at the speed at which it is unpacked."""
    import numpy as np

    if b"<c" not in block and b":c" not in block:
        return
    signs = np.frombuffer(block + bytes(_LONGEST_ADDRESS), dtype=np.uint8)
    opens = (signs == ord("<")) | (signs == ord(":"))
    ends = (signs <= ord(" ")) | (signs == ord(">")) | (signs == ord("/"))
    part.cells += int(np.count_nonzero(opens[:-2] & (signs[1:-1] == ord("v")) & ends[2:]))
    part.cells += int(np.count_nonzero(opens[:-3] & (signs[1:-2] == ord("i")) & (signs[2:-1] == ord("s")) & ends[3:]))
    tags = np.flatnonzero(opens[:-2] & (signs[1:-1] == ord("c")) & ends[2:])
    if not len(tags):
        return
    part.tags += len(tags)
    is_usual = all((signs[tags + at] == ord(sign)).all() for at, sign in enumerate('<c r="'))
    if is_usual:
        columns, rows = np.zeros(len(tags), dtype=np.int64), np.zeros(len(tags), dtype=np.int64)
        of_letters = np.ones(len(tags), dtype=bool)
        of_digits = ~of_letters
        for at in range(len('<c r="'), _LONGEST_ADDRESS):
            sign = signs[tags + at].astype(np.int64)
            letter = sign & _CAPITAL
            of_letters &= (letter >= ord("A")) & (letter <= ord("Z"))
            of_digits = ~of_letters & (sign >= ord("0")) & (sign <= ord("9")) & (of_digits | (rows == 0))
            columns = np.where(of_letters, columns * 26 + letter - ord("A") + 1, columns)
            rows = np.where(of_digits, rows * 10 + sign - ord("0"), rows)
        part.columns, part.rows = max(part.columns, int(columns.max())), max(part.rows, int(rows.max()))
        is_usual = bool((columns > 0).all() and (rows > 0).all())
    if not is_usual:
        _measure_unusual_xml(part, block, len(tags))
    if b't="e"' in block or b"t='e'" in block:
        for letters, digits, text in _ERROR_CELL.findall(block):
            part.add_error(text.decode("utf-8", "replace") or _UNKNOWN_ERROR, *_address(letters, digits))
    if percent_cell is not None:
        part.percents.extend(_place(*_address(*found)) for found in percent_cell.findall(block))


def _measure_unusual_xml(part: _Part, block: bytes, tags: int) -> None:
    """The same of cells that are written otherwise than by spreadsheet programs: in any order, or without addresses."""
    addresses = _CELL.findall(block)
    if addresses:
        part.columns = max(part.columns, *(_column_number(letters) for letters in {each[0] for each in addresses}))
        part.rows = max(part.rows, *(int(digits[:9]) for digits in {each[1] for each in addresses}))
    if len(addresses) < tags:
        part.has_addresses = False
        # Cells without an address follow one another: no row has more columns, no sheet more rows than this.
        rows = _ANY_ROW.split(block)
        part.rows += len(rows)
        part.columns += max(len(_ANY_CELL.findall(row)) for row in rows)


def _address(letters: bytes, digits: bytes) -> tuple[int, int]:
    """Row and column from 0; of an address that no cell can have the first cell's, which is a header's."""
    row, column = int(digits[:_LONGEST_ADDRESS]) - 1, _column_number(letters) - 1
    return (row, column) if 0 <= row < _WIDEST and 0 <= column < _WIDEST else (0, 0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + letter - ord("A") + 1
    return number


def _refuse_too_many_cells(
    archive: zipfile.ZipFile, parts: dict[str, _Part], limits: Limits, *, is_binary: bool
) -> None:
    if sum(part.cells for part in parts.values()) > limits.cells:
        raise too_many_cells(limits)
    if sum(part.rows * part.columns for part in parts.values()) > limits.cells:
        # Empty cells with a format may lie far out; those with something in them decide.
        area = sum(
            _filled_area(archive, name) if part.has_addresses and not is_binary else part.rows * part.columns
            for name, part in parts.items()
            if part.rows
        )
        if area > limits.cells:
            raise too_many_cells(limits)
    if _shown_text(archive, parts, limits, is_binary=is_binary) > limits.text_bytes:
        raise too_much_text(limits)


def _filled_area(archive: zipfile.ZipFile, name: str) -> int:
    rows = columns = 0
    for block in _blocks(archive, name):
        if _ANY_CELL.search(block):
            for letters, digits in set(_FILLED_CELL.findall(block)):
                rows, columns = max(rows, int(digits)), max(columns, _column_number(letters))
    return rows * columns


def _blocks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    rest = b""
    with archive.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            block = rest + chunk
            cut = max(block.rfind(b"<c "), 0)
            rest = block[cut:]
            yield block[:cut]
    yield rest


def _shown_text(archive: zipfile.ZipFile, parts: dict[str, _Part], limits: Limits, *, is_binary: bool) -> int:
    """What all cells' shared texts take, each cell holding its own copy; or a bound that is low enough."""
    lengths = _numbers()
    for length in _binary_text_lengths(archive, parts) if is_binary else _text_lengths(archive, parts):
        lengths.append(length)
        if len(lengths) > limits.cells:
            raise too_many_cells(limits)
    bound = max(lengths, default=0) * sum(part.cells for part in parts.values())
    if bound <= limits.text_bytes:
        return bound
    shown = (
        (index for part in parts.values() for index in part.shared)
        if is_binary
        else (
            int(index)
            for name, part in parts.items()
            if part.cells
            for block in _blocks(archive, name)
            for index in _SHARED_INDEX.findall(block)
        )
    )
    return sum(lengths[index] for index in shown if index < len(lengths))


def _text_lengths(archive: zipfile.ZipFile, parts: Mapping[str, _Part]) -> Iterator[int]:
    """Bytes of each shared text, tags included."""
    name = next((name for name in parts if name.casefold() == _SHARED_TEXTS), None)
    content = archive.read(name) if name else b""
    begin = None
    for found in _SHARED_TEXT.finditer(content):
        if begin is not None:
            yield found.start() - begin
        begin = found.end()
    if begin is not None:
        yield len(content) - begin


def _binary_text_lengths(archive: zipfile.ZipFile, parts: Mapping[str, _Part]) -> Iterator[int]:
    name = next((name for name in parts if name.casefold() == "xl/sharedstrings.bin"), None)
    return (len(body) for kind, body in _records(archive.read(name)) if kind == _SHARED_ITEM) if name else iter(())


def _xml_book(archive: zipfile.ZipFile, limits: Limits) -> _Book:
    relations = _relations(archive, _XML_WORKBOOK, limits)
    sheets: list[tuple[str, str]] = []
    epoch_1904 = False
    for tag in read_tags(_small_part(archive, _XML_WORKBOOK, limits)):
        if tag.name == "sheet":
            _refuse_too_many_sheets(sheets)
            sheets.append((tag.attributes.get("name", ""), relations.get(tag.attributes.get("id", ""), "")))
        elif tag.name == "workbookPr" and tag.parent == "workbook":
            epoch_1904 = tag.attributes.get("date1904") in ("1", "true")
    return _Book(sheets, epoch_1904)


def _relations(archive: zipfile.ZipFile, part: str, limits: Limits) -> dict[str, str]:
    folder, _, file = part.rpartition("/")
    relations: dict[str, str] = {}
    for tag in read_tags(_small_part(archive, f"{folder}/_rels/{file}.rels", limits)):
        if tag.name == "Relationship":
            target = posixpath.normpath(posixpath.join("/" + folder, tag.attributes.get("Target", ""))).lstrip("/")
            relations[tag.attributes.get("Id", "")] = target
    return relations


def _binary_book(archive: zipfile.ZipFile, limits: Limits) -> _Book:
    relations = _relations(archive, _BINARY_WORKBOOK, limits)
    sheets: list[tuple[str, str]] = []
    epoch_1904 = False
    for kind, body in _records(b"".join(_small_part(archive, _BINARY_WORKBOOK, limits))):
        if kind == _PROPERTIES and body:
            epoch_1904 = bool(body[0] & 1)
        elif kind == _BUNDLED_SHEET:
            relation, end = _wide_text(body, 8)
            title, _ = _wide_text(body, end)
            _refuse_too_many_sheets(sheets)
            sheets.append((title, relations.get(relation, "")))
    return _Book(sheets, epoch_1904)


def _wide_text(body: memoryview, at: int) -> tuple[str, int]:
    (count,) = struct.unpack_from("<I", body, at)
    end = at + 4 + 2 * count
    return bytes(body[at + 4 : end]).decode("utf-16-le", "replace"), end


def _records(content: bytes) -> Iterator[tuple[int, memoryview]]:
    """The records of a part of .xlsb; a cut one ends them."""
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


def _measure_binary(part: _Part, content: bytes, percents: Set[int]) -> None:
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
                part.add_error(_ERRORS.get(body[8], _UNKNOWN_ERROR), row, column)
            elif kind in _NUMBER_RECORDS and int.from_bytes(body[4:7], "little") in percents:
                part.percents.append(_place(row, column))
            elif kind == _SHARED_RECORD and len(body) >= 12:
                part.shared.append(int.from_bytes(body[8:12], "little"))


def _refuse_shared_parts(book: _Book) -> None:
    """A part that many sheets share would be read again and again."""
    own = [part for _, part in book.sheets if part]
    if len(own) != len(set(own)):
        raise damaged()


def _refuse_too_many_sheets(sheets: Sequence[tuple[str, str]]) -> None:
    if len(sheets) >= MOST_SHEETS:
        raise damaged()


def _refuse_other_encodings(book: _Book, parts: Mapping[str, _Part]) -> None:
    """What the library reads was measured as UTF-8, and it knows no other: cells would not have been counted."""
    read = {*_READ_BY_LIBRARY, *(part.casefold() for _, part in book.sheets)}
    if any(not part.is_utf8 for name, part in parts.items() if name.casefold() in read and name.endswith(_XML)):
        raise unknown_encoding()


def _read(
    content: bytes, limits: Limits, *, book: _Book, parts: dict[str, _Part]
) -> list[tuple[str, list[list[Cell]]]]:
    import python_calamine

    sheets: list[tuple[str, list[list[Cell]]]] = []
    left = list(book.sheets)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for index in range(len(workbook.sheet_names)):
            sheet = workbook.get_sheet_by_index(index)
            rows = _rows(sheet, limits)
            # Of two sheets with one name each has its own part, in their order.
            own = next((each for each in left if each[0] == sheet.name), None)
            if own is not None:
                left.remove(own)
                _put_particulars(rows, parts.get(own[1], _Part()))
            sheets.append((sheet.name, rows))
    except python_calamine.PasswordError:
        raise locked() from None
    except (python_calamine.CalamineError, OSError, ValueError, IndexError, OverflowError) as error:
        raise damaged() from error
    except BaseException as error:
        # The reader is written in Rust, and a panic in it is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged() from error
    return sheets


def _rows(sheet: Any, limits: Limits) -> list[list[Cell]]:
    if not sheet.end:
        return []
    refuse_too_large(sheet.name, sheet.end[0] + 1, sheet.end[1] + 1, limits)
    rows: list[list[Cell]] = sheet.to_python(skip_empty_area=False)
    for number, row in enumerate(rows):
        # In place: two copies of a large sheet would not fit into memory.
        rows[number] = [
            (value if value != "" else None) if type(value) in _PLAIN_KINDS else as_cell(value) for value in row
        ]
    return rows


def _put_particulars(rows: list[list[Cell]], part: _Part) -> None:
    """What the reader leaves out: the texts of error cells, and that a number is shown as a percent."""
    for text, places in part.errors.items():
        for row, column in map(_split, places):
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = text
    for row, column in map(_split, part.percents):
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = as_percent(rows[row][column])


def _split(place: int) -> tuple[int, int]:
    return divmod(place, _WIDEST)
