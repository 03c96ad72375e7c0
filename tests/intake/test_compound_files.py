"""A .xls is read where the chain of its workbook is sound, whatever else of the compound file is odd."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from five_precisions.intake.reading.compound_file import stream_of
from five_precisions.intake.reading.files import UnreadableFileError, read_file
from tests.fixtures.workbooks import Rows, compound_file, xls

ROWS: Rows = [["县区代码", "各项贷款余额"], ["441702", 1000.5]]
END, FREE = 0xFFFFFFFE, 0xFFFFFFFF
HEADER, ENTRY, ENTRIES = 512, 128, 4
START, LINKS = 116, 68


def tables(content: bytes) -> int:
    (count,) = struct.unpack_from("<I", content, 44)
    return int(count)


def first_sector(content: bytes) -> int:
    return tables(content) + 1


def patched(content: bytes, at: int, *numbers: int) -> bytes:
    written = struct.pack(f"<{len(numbers)}I", *numbers)
    return content[:at] + written + content[at + len(written) :]


def with_entry(content: bytes, entry: int, at: int, *numbers: int) -> bytes:
    """The file with numbers put into an entry of its directory."""
    return patched(content, HEADER * (1 + tables(content)) + entry * ENTRY + at, *numbers)


def with_link(content: bytes, sector: int, following: int) -> bytes:
    return patched(content, HEADER + 4 * sector, following)


def last_sector(content: bytes) -> int:
    return len(content) // HEADER - 2


SOUND = xls({"position": ROWS})
ODD: dict[str, Callable[[bytes], bytes]] = {
    "the root's small sectors overlap the workbook": lambda data: with_entry(data, 0, START, first_sector(data), 4096),
    "the root's small sectors are not in the file": lambda data: with_entry(data, 0, START, 10**6, 64),
    "the table of small sectors overlaps the workbook": lambda data: patched(data, 60, first_sector(data), 1),
    "the chain ends in the mark of a free sector": lambda data: with_link(data, last_sector(data), FREE),
    "the directory ends in the mark of a free sector": lambda data: with_link(data, tables(data), FREE),
    "a table of tables that is none": lambda data: patched(data, 68, 0, 0),
    "anything in the upper half of the size": lambda data: with_entry(data, 1, START + 8, 0xABCD),
    "more bytes behind the last sector": lambda data: data + b"more",
}
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "the chain runs in a circle": lambda data: with_entry(
        with_link(data, last_sector(data), first_sector(data)), 1, START + 4, 10**6
    ),
    "the chain ends too early": lambda data: with_link(data, first_sector(data), END),
    "the chain leaves the file": lambda data: with_link(data, first_sector(data), 10**6),
    "the directory runs in a circle": lambda data: with_link(data, tables(data), tables(data)),
    "the workbook is larger than the file": lambda data: with_entry(data, 1, START + 4, 10**9),
    "the workbook is not below the root": lambda data: with_entry(data, 0, LINKS + 8, FREE),
    "the tree runs in a circle": lambda data: with_entry(data, 0, LINKS + 8, 0),
    "sectors of another size": lambda data: data[:30] + b"\x0a\x00" + data[32:],
    "the file ends in its directory": lambda data: data[: HEADER * (1 + tables(data)) + 200],
    "the file ends in its header": lambda data: data[:60],
}


@pytest.mark.parametrize("change", ODD.values(), ids=list(ODD))
def test_an_odd_compound_file_is_read(change: Callable[[bytes], bytes]) -> None:
    assert change(SOUND) != SOUND
    assert [sheet.rows for sheet in read_file("a.xls", change(SOUND), known_headers=())] == [ROWS]


@pytest.mark.parametrize("change", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_compound_file_is_damaged(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read_file("a.xls", change(SOUND), known_headers=())


def test_a_workbook_embedded_in_another_is_not_taken_for_it() -> None:
    # Two entries of one name; the first lies in a storage beside the root's own stream.
    content = compound_file("Workbook", SOUND)
    directory = HEADER * (1 + tables(content))
    own = content[directory + ENTRY : directory + 2 * ENTRY]
    embedded = own[:START] + struct.pack("<II", first_sector(content), 5000) + own[START + 8 :]
    storage = own[: LINKS - 2] + struct.pack("<BBIII", 1, 1, FREE, 3, 1) + own[LINKS + 12 :]
    entries = content[directory : directory + ENTRY] + embedded + storage + own
    moved = content[:directory] + entries + content[directory + ENTRIES * ENTRY :]
    assert len(stream_of(with_entry(moved, 0, LINKS + 8, 2), "Workbook")) == len(SOUND)
    assert len(stream_of(with_entry(moved, 0, LINKS + 8, 1), "Book", "workbook")) == 5000


def test_a_small_stream_is_read_by_its_small_sectors() -> None:
    content = compound_file("Root's small sectors", b"".join(bytes([number]) * 64 for number in range(64)))
    first = first_sector(content)
    small = with_entry(with_entry(content, 0, START, first, 4096), 1, START, 2, 100)
    # One more sector holds the table of small ones: the third is followed by the sixth.
    small = patched(small, 60, last_sector(content) + 1, 1)
    small = with_link(small, last_sector(content) + 1, END) + struct.pack(
        "<128I", *[FREE, FREE, 5, FREE, FREE, END], *[FREE] * 122
    )
    assert stream_of(small, "root's small sectors") == b"\2" * 64 + b"\5" * 36
