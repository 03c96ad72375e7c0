"""Workbooks that are zip files: .xlsx (with macros or without), .xlsb, .ods (spec/03, Bad input).

The library that reads the first two makes room for the whole area between the outermost cells, and ends the process
where there is none left. So a file is measured while it is unpacked, with running counts, before it is read: what its
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
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from five_precisions.intake.reading.opendocument import is_opendocument, read_opendocument
from five_precisions.intake.reading.sheet import (
    Limits,
    Sheet,
    UnreadableFileError,
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
_MOST_SHEETS: Final = 500
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
_PERCENT_FORMATS: Final = frozenset({"9", "10"})
_LARGEST_STYLES: Final = 32 << 20
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
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")

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


@dataclass(slots=True)
class _Part:
    """What one member of the zip was found to hold."""

    size: int = 0
    tags: int = 0
    """Cells, the empty ones too."""
    cells: int = 0
    """Cells with something in them."""
    rows: int = 0
    columns: int = 0
    """Of the area that its cells span, the empty ones too."""
    has_addresses: bool = True
    """Every cell says where it stands."""
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    """Row and column from 0, and the text of the error."""
    percents: list[tuple[int, int]] = field(default_factory=list)
    """Row and column from 0 of numbers that are shown as percents."""
    shared: list[int] = field(default_factory=list)
    """Of .xlsb: which shared texts its cells show."""


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
            _refuse_encrypted(archive)
            _refuse_overlapping(archive)
            if is_opendocument(archive):
                _refuse_too_large_unpacked(archive, limits)
                return read_opendocument(name, archive, limits)
            is_binary = _BINARY_WORKBOOK in archive.namelist()
            parts = _measured(archive, limits, is_binary=is_binary)
            _refuse_too_many_cells(archive, parts, limits, is_binary=is_binary)
            book = _binary_book(archive) if is_binary else _xml_book(archive)
            _refuse_shared_parts(book)
    except _UNPACKING_ERRORS as error:
        raise damaged() from error
    except ET.ParseError as error:
        raise damaged() from error
    return [Sheet(name, title, rows, book.epoch_1904) for title, rows in _read(content, limits, book=book, parts=parts)]


def _refuse_encrypted(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise damaged()
    if any(member.flag_bits & 1 for member in members):
        raise locked()
    if _MANIFEST in archive.namelist():
        with archive.open(_MANIFEST) as stream:
            if b"encryption-data" in stream.read(_CHUNK):
                raise locked()


def _refuse_overlapping(archive: zipfile.ZipFile) -> None:
    """Members that share their bytes make a bomb: only newer versions of Python refuse them by themselves."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    for former, latter in itertools.pairwise(members):
        if former.header_offset + former.compress_size > latter.header_offset:
            raise damaged()


def _chunks(archive: zipfile.ZipFile, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The members' names and their bytes, piece by piece, with a running count."""
    unpacked = 0
    for member in archive.infolist():
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > limits.unpacked_bytes:
                    raise unpacked_too_large(limits)
                yield member.filename, chunk


def _refuse_too_large_unpacked(archive: zipfile.ZipFile, limits: Limits) -> None:
    for name, chunk in _chunks(archive, limits):
        _refuse_declarations(name, chunk)


def _refuse_declarations(name: str, chunk: bytes) -> None:
    """Workbooks declare no entities: who does, means no table (and the readers would not follow it)."""
    if name.endswith((".xml", ".rels")) and any(declaration in chunk for declaration in _DECLARATIONS):
        raise UnreadableFileError(
            "文件中夹带了电子表格用不到的内容（XML 实体声明），请用电子表格软件另存为 xlsx 后重新报送。"
        )


def _measured(archive: zipfile.ZipFile, limits: Limits, *, is_binary: bool) -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    rest: dict[str, bytes] = {}
    percents = _binary_percent_styles(archive, limits) if is_binary else _percent_styles(archive, limits)
    percent_cell = (
        re.compile(
            rb"<(?:\w+:)?c\s(?=[^<>]*\bs\s*=\s*[\"'](?:%s)[\"'])(?![^<>]*\bt\s*=\s*[\"'][^n])[^<>]*?"
            rb"\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)" % b"|".join(str(style).encode() for style in sorted(percents))
        )
        if percents
        else None
    )
    for name, chunk in _chunks(archive, limits):
        part = parts.setdefault(name, _Part())
        if not part.size and name.endswith((".xml", ".rels")) and b"\0" in chunk[:4]:
            # Only UTF-8 is looked through below, and no spreadsheet program writes another encoding.
            raise damaged()
        part.size += len(chunk)
        _refuse_declarations(name, chunk)
        if not is_binary:
            block = rest.get(name, b"") + chunk
            # A cell that the end of the piece cuts in two belongs to the next one.
            cut = max(block.rfind(b"<c "), block.rfind(b":c ") - 16)
            whole, rest[name] = (block[:cut], block[cut:]) if cut > 0 and len(block) - cut < _CHUNK else (block, b"")
            _measure_xml(part, whole, percent_cell)
    for name, block in rest.items():
        _measure_xml(parts[name], block, percent_cell)
    for name, part in parts.items():
        if part.size - part.tags * _TAGS_OF_A_CELL > limits.text_bytes:
            raise too_much_text(limits)
        if is_binary and name.endswith(".bin"):
            _measure_binary(part, archive.read(name), percents)
    return parts


def _percent_styles(archive: zipfile.ZipFile, limits: Limits) -> set[int]:
    """Which styles of cells show a number as a percent: it is a hundredth of what a person reads there."""
    name = next((name for name in archive.namelist() if name.casefold() == "xl/styles.xml"), None)
    if name is None:
        return set()
    styles = _read_small(archive, name, limits)
    if b"<!" in styles.replace(b"<!--", b""):
        # Refused below, with all declarations.
        return set()
    tree = ET.fromstring(styles)  # noqa: S314 - without declarations there is nothing to expand
    formats = {each.get("numFmtId"): each.get("formatCode", "") for each in _named(tree.iter(), "numFmt")}
    kinds = [each.get("numFmtId", "") for group in _named(tree, "cellXfs") for each in _named(group, "xf")]
    return {style for style, kind in enumerate(kinds) if kind in _PERCENT_FORMATS or "%" in formats.get(kind, "")}


def _binary_percent_styles(archive: zipfile.ZipFile, limits: Limits) -> set[int]:
    name = next((name for name in archive.namelist() if name.casefold() == "xl/styles.bin"), None)
    if name is None:
        return set()
    formats: dict[str, str] = {}
    kinds: list[str] = []
    is_inside = False
    for kind, body in _records(_read_small(archive, name, limits)):
        if kind == _FORMAT and len(body) >= 6:
            formats[str(int.from_bytes(body[:2], "little"))] = _wide_text(body, 2)[0]
        elif kind in (_CELL_STYLES, _END_OF_CELL_STYLES):
            is_inside = kind == _CELL_STYLES
        elif kind == _STYLE and is_inside and len(body) >= 4:
            kinds.append(str(int.from_bytes(body[2:4], "little")))
    return {style for style, kind in enumerate(kinds) if kind in _PERCENT_FORMATS or "%" in formats.get(kind, "")}


def _read_small(archive: zipfile.ZipFile, name: str, limits: Limits) -> bytes:
    """A part that is no sheet, whatever its directory says of its size."""
    most = min(_LARGEST_STYLES, limits.unpacked_bytes)
    with archive.open(name) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise unpacked_too_large(limits)
    return content


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
        part.errors += [
            (int(digits) - 1, _column_number(letters) - 1, text.decode("utf-8", "replace") or _UNKNOWN_ERROR)
            for letters, digits, text in _ERROR_CELL.findall(block)
        ]
    if percent_cell is not None:
        part.percents += [
            (int(digits) - 1, _column_number(letters) - 1) for letters, digits in percent_cell.findall(block)
        ]


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
    if is_binary:
        name = next((name for name in parts if name.casefold() == "xl/sharedstrings.bin"), None)
        lengths = [len(body) for kind, body in _records(archive.read(name)) if kind == _SHARED_ITEM] if name else []
    else:
        name = next((name for name in parts if name.casefold() == _SHARED_TEXTS), None)
        lengths = [len(text) for text in _SHARED_TEXT.split(archive.read(name))[1:]] if name else []
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


def _xml_book(archive: zipfile.ZipFile) -> _Book:
    # The parser loads nothing from outside, and declarations have been refused.
    workbook = ET.fromstring(archive.read(_XML_WORKBOOK))  # noqa: S314
    relations = _relations(archive, _XML_WORKBOOK)
    sheets = [
        (
            each.get("name", ""),
            relations.get(next((each.attrib[key] for key in each.attrib if key.endswith("}id")), ""), ""),
        )
        for each in _named(workbook.iter(), "sheet")
    ]
    properties = next(iter(_named(workbook, "workbookPr")), None)
    return _Book(sheets, epoch_1904=properties is not None and properties.get("date1904") in ("1", "true"))


def _named(elements: Iterable[ET.Element], name: str) -> list[ET.Element]:
    """Those of a local name: the two variants of the format differ in their namespaces."""
    return [element for element in elements if element.tag.rpartition("}")[2] == name]


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    folder, _, file = part.rpartition("/")
    tree = ET.fromstring(archive.read(f"{folder}/_rels/{file}.rels"))  # noqa: S314
    return {
        relation.get("Id", ""): posixpath.normpath(posixpath.join("/" + folder, relation.get("Target", ""))).lstrip("/")
        for relation in tree
    }


def _binary_book(archive: zipfile.ZipFile) -> _Book:
    relations = _relations(archive, _BINARY_WORKBOOK)
    sheets: list[tuple[str, str]] = []
    epoch_1904 = False
    for kind, body in _records(archive.read(_BINARY_WORKBOOK)):
        if kind == _PROPERTIES and body:
            epoch_1904 = bool(body[0] & 1)
        elif kind == _BUNDLED_SHEET:
            relation, end = _wide_text(body, 8)
            title, _ = _wide_text(body, end)
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
                part.errors.append((row, column, _ERRORS.get(body[8], _UNKNOWN_ERROR)))
            elif kind in _NUMBER_RECORDS and int.from_bytes(body[4:7], "little") in percents:
                part.percents.append((row, column))
            elif kind == _SHARED_RECORD and len(body) >= 12:
                part.shared.append(int.from_bytes(body[8:12], "little"))


def _refuse_shared_parts(book: _Book) -> None:
    """A part that many sheets share would be read again and again."""
    own = [part for _, part in book.sheets if part]
    if len(own) != len(set(own)) or len(own) > _MOST_SHEETS:
        raise damaged()


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
    for row, column, text in part.errors:
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text
    for row, column in part.percents:
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = as_percent(rows[row][column])
