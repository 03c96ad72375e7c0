"""Workbooks that are zip files: .xlsx (with macros or without), .xlsb, .ods (docs/intake.md#bad-input).

The library that reads the first two makes room for the whole area between the outermost cells. Where no room is left
it ends the process. So a file is measured while it is unpacked, with running counts, before it is read: what its
directory and its dimensions say can be forged. The same look finds what that library leaves out: the texts of error
cells, what formats make of numbers, merged cells, and formulas that were never computed.
"""

from __future__ import annotations

import io
import itertools
import lzma
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from five_precisions.intake.reading import binary_parts, xml_parts
from five_precisions.intake.reading.delivered_xml import Head, read_tags, unknown_encoding
from five_precisions.intake.reading.opendocument import is_opendocument, read_opendocument
from five_precisions.intake.reading.sheet import (
    Limits,
    Sheet,
    as_cell,
    damaged,
    locked,
    refuse_too_large,
    too_many_cells,
    too_much_text,
    unpacked_too_large,
)
from five_precisions.intake.reading.sheet_parts import SheetPart
from five_precisions.intake.reading.workbook_container import (
    CHUNK,
    ContainedBook,
    read_book,
    small_part,
    usual_container,
)
from five_precisions.intake.reading.zip_members import overlap
from five_precisions.reports.cells import Cell

_MOST_MEMBERS: Final = 10_000
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
_PLAIN_KINDS: Final = frozenset({str, float, int, bool, date, datetime})
_is_plain: Final = _PLAIN_KINDS.issuperset

Parts = dict[zipfile.ZipInfo, SheetPart]


def read_zipped_workbook(name: str, content: bytes, limits: Limits) -> list[Sheet]:
    """The sheets of a workbook that is a zip file.

    Raises:
        UnreadableFileError: it is damaged, encrypted or too large (F01).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_encrypted(archive, limits)
            if overlap(archive.infolist()):
                raise damaged()
            if is_opendocument(archive):
                for _ in _chunks(archive, limits):
                    # Measured, and looked at for declarations.
                    pass
                return read_opendocument(name, archive, limits)
            book = read_book(archive, limits)
            parts = _measured(archive, limits, book)
            _refuse_too_many_cells(archive, parts, limits, book)
            usual = usual_container(content, book)
    except _UNPACKING_ERRORS as error:
        raise damaged() from error
    return _read(name, usual, limits, book=book, parts=parts)


def _refuse_encrypted(archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise damaged()
    if any(member.flag_bits & 1 for member in members):
        raise locked()
    if _MANIFEST in archive.namelist():
        tags = read_tags(small_part(archive, _MANIFEST, limits), may_name_type=True)
        if any(tag.name == "encryption-data" for tag in tags):
            raise locked()


def _chunks(archive: zipfile.ZipFile, limits: Limits) -> Iterator[tuple[zipfile.ZipInfo, bytes, Head]]:
    """The members, their bytes, piece by piece, with a running count, and what is known of their heads."""
    unpacked = 0
    for member in archive.infolist():
        head = Head()
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK):
                unpacked += len(chunk)
                if unpacked > limits.unpacked_bytes:
                    raise unpacked_too_large(limits)
                if not head.is_over:
                    head.look(chunk)
                yield member, chunk, head


def _measured(archive: zipfile.ZipFile, limits: Limits, book: ContainedBook) -> Parts:
    """Unpack everything once, and measure what the library reads."""
    parts = {member: SheetPart() for member in (*book.parts, *book.described_in)}
    sheets = {member for _, member in book.sheets}
    styled = xml_parts.styled_cell(book.styles)
    for member, chunks in itertools.groupby(_chunks(archive, limits), key=lambda each: each[0]):
        part, rest = parts.get(member), b""
        for _, chunk, head in chunks:
            if part is None:
                continue
            part.size += len(chunk)
            part.is_utf8 = head.is_utf8
            if member in sheets and not book.is_binary:
                block = rest + chunk
                cut = xml_parts.cut_before_last(block) or len(block)
                rest = block[cut:]
                xml_parts.measure(part, block[:cut], styled)
        if part is not None and rest:
            xml_parts.measure(part, rest, styled)
    for member, part in parts.items():
        if part.size - part.tags * _TAGS_OF_A_CELL > limits.text_bytes:
            raise too_much_text(limits)
        if member in sheets and book.is_binary:
            binary_parts.measure(part, archive.read(member), book.styles.all)
    read_as_text = book.described_in if book.is_binary else parts
    if not all(parts[member].is_utf8 for member in read_as_text):
        # The library knows no other encoding, nor did the look that has counted the cells.
        raise unknown_encoding()
    return parts


def _refuse_too_many_cells(archive: zipfile.ZipFile, parts: Parts, limits: Limits, book: ContainedBook) -> None:
    sheets = {member: parts[member] for _, member in book.sheets}
    if sum(part.cells for part in sheets.values()) > limits.cells:
        raise too_many_cells(limits)
    if sum(part.rows * part.columns for part in sheets.values()) > limits.cells:
        # Empty cells with a format may lie far out; those with something in them decide.
        area = sum(
            xml_parts.filled_area(_whole_cells(archive, member))
            if part.has_addresses and not book.is_binary
            else part.rows * part.columns
            for member, part in sheets.items()
            if part.rows
        )
        if area > limits.cells:
            raise too_many_cells(limits)
    if book.texts and _shown_text(archive, sheets, limits, book) > limits.text_bytes:
        raise too_much_text(limits)


def _whole_cells(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as stream:
        yield from xml_parts.whole_cells(lambda: stream.read(CHUNK))


def _shown_text(archive: zipfile.ZipFile, sheets: Parts, limits: Limits, book: ContainedBook) -> int:
    """What all cells' shared texts take, each cell holding its own copy; or a bound that is low enough."""
    assert book.texts is not None  # noqa: S101 - asked only where there are some
    content = archive.read(book.texts)
    found = binary_parts.text_lengths(content) if book.is_binary else xml_parts.text_lengths(content, limits)
    lengths = array("Q", itertools.islice(found, limits.cells + 1))
    if len(lengths) > limits.cells:
        raise too_many_cells(limits)
    bound = max(lengths, default=0) * sum(part.cells for part in sheets.values())
    if bound <= limits.text_bytes:
        return bound
    shown = (
        itertools.chain.from_iterable(part.shared for part in sheets.values())
        if book.is_binary
        else itertools.chain.from_iterable(
            xml_parts.shown_texts(_whole_cells(archive, member)) for member, part in sheets.items() if part.cells
        )
    )
    return sum(lengths[index] for index in shown if index < len(lengths))


def _read(name: str, content: bytes, limits: Limits, *, book: ContainedBook, parts: Parts) -> list[Sheet]:
    import python_calamine

    sheets: list[Sheet] = []
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for index, (listed, member) in enumerate(book.sheets):
            rows = _rows(workbook.get_sheet_by_index(index), listed.title, limits)
            sheets.append(parts[member].sheet(name, listed, rows, book.styles, epoch_1904=book.epoch_1904))
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


def _rows(sheet: Any, title: str, limits: Limits) -> list[list[Cell]]:
    if not sheet.end:
        return []
    refuse_too_large(title, sheet.end[0] + 1, sheet.end[1] + 1, limits)
    rows: list[list[Cell]] = sheet.to_python(skip_empty_area=False)
    for number, row in enumerate(rows):
        # In place: two copies of a large sheet would not fit into memory.
        if not _is_plain(map(type, row)):
            rows[number] = [value if type(value) in _PLAIN_KINDS else as_cell(value) for value in row]
        if "" in row:
            rows[number] = [None if value == "" else value for value in rows[number]]
    return rows
