"""The parts of an .xlsx: its sheets are measured as they are unpacked, the others are small enough to be parsed.

See docs/intake.md#bad-input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from five_precisions.intake.reading.delivered_xml import read_tags
from five_precisions.intake.reading.number_formats import EAST_ASIAN_MOMENTS
from five_precisions.intake.reading.sheet import MOST_SHEETS, Area, Limits, damaged, too_many_cells
from five_precisions.intake.reading.sheet_parts import UNKNOWN_ERROR, CellStyles, ListedSheet, SheetPart

_LONGEST_ADDRESS: Final = 24
"""Bytes from the tag on: no address that can be counted with is longer."""
_CAPITAL: Final = 0xDF
"""Mask that makes a letter a capital."""
_LARGEST_INDEX: Final = 1 << 32
_LONGEST_CELL: Final = 1 << 20
"""Bytes: what a piece cuts off is put before the next one, unless it is no cell."""

_PIECE: Final = 1 << 20
_ENDS_OF_A_NAME: Final = (*b" \t\r\n\v\f>/",)

_LONGEST_MERGED: Final = 1_024
"""Bytes of a tag that names a merged area, generously."""

_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)")
_FILLED_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)[^<>]*(?<!/)>\s*<(?!/)")
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_ANY_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\s(?=[^<>]*\bt\s*=\s*[\"']e[\"'])[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)[\"'][^<>]*>"
    rb"(?:\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v>([^<]*)<"
)
_UNCOMPUTED_CELL = re.compile(
    # An empty text is a value: where the type says that it is one, a program has computed it.
    rb"<(?:\w+:)?c\s(?![^<>]*\bt\s*=\s*[\"']str)[^<>]*?\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)[\"'][^<>]*>"
    rb"\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_UNCOMPUTED_FORMULA = re.compile(rb"<f\b(?:[^<>]*/>|[^<>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
"""Its end, as spreadsheet programs write it: found many times faster than the whole cell."""
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref\s*=\s*[\"']([A-Za-z]+)([0-9]+):([A-Za-z]+)([0-9]+)")
_SHARED_INDEX = re.compile(rb"<(?:\w+:)?c\s[^<>]*\bt\s*=\s*[\"']s[\"'][^<>]*>\s*<(?:\w+:)?v>\s*([0-9]{1,9})")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si[\s>/]")
_COUNT_OF_TEXTS = re.compile(rb"uniqueCount(?<=\WuniqueCount)\s*=\s*[\"']?\s*\+?([0-9]+)")
"""It begins with letters, so that it is searched for at the speed of a text."""


def list_sheets(chunks: Iterable[bytes]) -> tuple[list[ListedSheet], bool]:
    """The sheets that a workbook lists, and whether it counts its days from 1904.

    Raises:
        UnreadableFileError: it is no XML, or lists too many.
    """
    sheets: list[ListedSheet] = []
    epoch_1904 = False
    for tag in read_tags(chunks):
        if tag.name == "sheet" and tag.parent == "sheets":
            if len(sheets) >= MOST_SHEETS:
                raise damaged()
            is_hidden = tag.attributes.get("state", "visible") in ("hidden", "veryHidden")
            sheets.append(ListedSheet(tag.attributes.get("name", ""), tag.attributes.get("id", ""), is_hidden))
        elif tag.name == "workbookPr" and tag.parent == "workbook":
            epoch_1904 = tag.attributes.get("date1904") in ("1", "true")
    return sheets, epoch_1904


def read_styles(chunks: Iterable[bytes]) -> CellStyles:
    """The styles of cells.

    Raises:
        UnreadableFileError: the part is no XML.
    """
    texts: dict[int, str] = {}
    formats: list[int] = []
    for tag in read_tags(chunks):
        if tag.name == "numFmt" and tag.parent == "numFmts":
            texts[_number(tag.attributes.get("numFmtId"))] = tag.attributes.get("formatCode", "")
        elif tag.name == "xf" and tag.parent == "cellXfs":
            formats.append(_number(tag.attributes.get("numFmtId")))
    return CellStyles.of(formats, texts, EAST_ASIAN_MOMENTS)


def _number(written: str | None) -> int:
    return int(written) if written and written.isascii() and written.isdigit() and len(written) < 10 else 0


def styled_cell(styles: CellStyles) -> re.Pattern[bytes] | None:
    """Finds numbers of the styles that matter: style, letters and digits of the address."""
    if not styles.all:
        return None
    numbers = b"|".join(str(style).encode() for style in sorted(styles.all))
    return re.compile(
        rb"<(?:\w+:)?c\s(?=[^<>]*\bs\s*=\s*[\"'](%s)[\"'])(?![^<>]*\bt\s*=\s*[\"'][^n])[^<>]*?"
        rb"\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)" % numbers
    )


def cut_before_last(block: bytes) -> int:
    """Where the last cell or merged area of a piece begins, which its end may cut in two; 0 = nowhere."""
    named = [block.rfind(b":c "), block.rfind(b"mergeCell ", -_LONGEST_MERGED)]
    cut = max(block.rfind(b"<c "), *(block.rfind(b"<", 0, at) for at in named if at > 0), 0)
    return cut if len(block) - cut < _LONGEST_CELL else 0


def measure(part: SheetPart, block: bytes, styled: re.Pattern[bytes] | None) -> None:
    """Count the cells of a piece and see how far out they lie, at the speed at which it is unpacked."""
    import numpy as np

    if b"m" in block and b"mergeCell " in block:
        for left, top, right, bottom in _MERGED.findall(block):
            part.add_merged(Area(*_address(left, top), *_address(right, bottom)))
    if b"<c" not in block and b":c" not in block:
        return
    signs = np.frombuffer(block + bytes(_LONGEST_ADDRESS), dtype=np.uint8)
    opens = (signs == ord("<")) | (signs == ord(":"))

    def tags_named(name: bytes) -> Any:
        """Where tags of a name begin, whatever their prefix."""
        found = np.flatnonzero(opens[:-1] & (signs[1:] == name[0]))
        for at, sign in enumerate(name[1:], start=2):
            found = found[signs[found + at] == sign]
        ends = signs[found + len(name) + 1]
        return found[(ends <= ord(" ")) | (ends == ord(">")) | (ends == ord("/"))]

    part.cells += len(tags_named(b"v"))
    if b"i" in block:
        part.cells += len(tags_named(b"is"))
    tags = tags_named(b"c")
    if not len(tags):
        return
    part.tags += len(tags)
    is_usual = all((signs[tags + at] == ord(sign)).all() for at, sign in enumerate('<c r="'))
    if is_usual:
        columns, rows = np.zeros(len(tags), dtype=np.int64), np.zeros(len(tags), dtype=np.int64)
        of_letters = np.ones(len(tags), dtype=bool)
        of_digits = ~of_letters
        for at in range(len('<c r="'), _LONGEST_ADDRESS):
            sign = signs[tags + at]
            if of_letters.any():
                letter = sign & _CAPITAL
                of_letters &= (letter >= ord("A")) & (letter <= ord("Z"))
                columns = np.where(of_letters, columns * 26 + letter - ord("A") + 1, columns)
            of_digits = ~of_letters & (sign >= ord("0")) & (sign <= ord("9")) & (of_digits | (rows == 0))
            rows = np.where(of_digits, rows * 10 + sign - ord("0"), rows)
            if not of_digits.any() and not of_letters.any() and (rows > 0).all():
                # Every address is read to its end, long before the longest one that there may be.
                break
        part.columns, part.rows = max(part.columns, int(columns.max())), max(part.rows, int(rows.max()))
        is_usual = bool((columns > 0).all() and (rows > 0).all())
    if not is_usual:
        _measure_unusual(part, block, len(tags))
    _find_particulars(part, block, styled, is_usual=is_usual)


def _measure_unusual(part: SheetPart, block: bytes, tags: int) -> None:
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


def _find_particulars(part: SheetPart, block: bytes, styled: re.Pattern[bytes] | None, *, is_usual: bool) -> None:
    # A single letter is found many times faster, and seldom where no error is.
    if b"e" in block and (b't="e"' in block or b"t='e'" in block):
        for letters, digits, text in _ERROR_CELL.findall(block):
            part.add_error(text.decode("utf-8", "replace") or UNKNOWN_ERROR, *_address(letters, digits))
    if b"f" in block and (not is_usual or _UNCOMPUTED_FORMULA.search(block)):
        part.add_uncomputed(_address(*found) for found in _UNCOMPUTED_CELL.findall(block))
    if styled is not None:
        for style, letters, digits in styled.findall(block):
            part.add_styled(int(style), *_address(letters, digits))


def _address(letters: bytes, digits: bytes) -> tuple[int, int]:
    """Row and column from 0; of an address that no cell can have the first cell's, which is a header's."""
    row, column = int(digits[:_LONGEST_ADDRESS]) - 1, _column_number(letters) - 1
    return (row, column) if 0 <= row < _LARGEST_INDEX and 0 <= column < _LARGEST_INDEX else (0, 0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + letter - ord("A") + 1
    return number


def filled_area(blocks: Iterable[bytes]) -> int:
    """Cells between the outermost ones with something in them."""
    rows = columns = 0
    for block in blocks:
        if _ANY_CELL.search(block):
            for letters, digits in set(_FILLED_CELL.findall(block)):
                rows, columns = max(rows, int(digits)), max(columns, _column_number(letters))
    return rows * columns


def whole_cells(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Pieces of a sheet that begin with a cell."""
    rest = b""
    while chunk := read():
        block = rest + chunk
        cut = max(block.rfind(b"<c "), 0)
        rest = block[cut:]
        yield block[:cut]
    yield rest


def shown_texts(blocks: Iterable[bytes]) -> Iterator[int]:
    """Which shared texts the cells show."""
    return (int(index) for block in blocks for index in _SHARED_INDEX.findall(block))


def text_lengths(content: bytes, limits: Limits) -> Iterator[int]:
    """Bytes of each shared text, tags included.

    Raises:
        TooMuchError: it says that it has more texts than cells are allowed. The library makes room for all it says.
    """
    if any(int(count[:18]) > limits.cells for count in _COUNT_OF_TEXTS.findall(content)):
        raise too_many_cells(limits)
    # Most programs write no prefixes, and there may be a text for every cell.
    return _lengths(content) if b":si" in content else iter(_plain_lengths(content, limits.cells + 1))


def _lengths(content: bytes) -> Iterator[int]:
    begin = None
    for found in _SHARED_TEXT.finditer(content):
        if begin is not None:
            yield found.start() - begin
        begin = found.end()
    if begin is not None:
        yield len(content) - begin


def _plain_lengths(content: bytes, most: int) -> list[int]:
    """The same of texts whose tags have no prefix, of so many at most."""
    import numpy as np

    name = b"<si"
    begins, count = [np.zeros(0, dtype=np.int64)], 0
    for at in range(0, len(content), _PIECE):
        signs = np.frombuffer(content[at : at + _PIECE + len(name)] + bytes(len(name)), dtype=np.uint8)
        found = np.flatnonzero((signs[:-3] == name[0]) & (signs[1:-2] == name[1]) & (signs[2:-1] == name[2]))
        found = found[np.isin(signs[found + len(name)], _ENDS_OF_A_NAME)] + at
        begins.append(found[found < at + _PIECE])
        count += len(found)
        if count > most:
            break
    lengths: list[int] = (np.diff(np.concatenate(begins), append=len(content)) - len("<si>"))[:most].tolist()
    return lengths
