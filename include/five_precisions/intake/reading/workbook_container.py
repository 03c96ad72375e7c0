"""The container of .xlsx and .xlsb: a zip of parts, which name one another (docs/intake.md#bad-input).

Programs differ in what they call the parts, and put others beside them: macros, charts, queries, settings of printers.
The library knows the usual names alone, and gives up on much that is beside them. So it is given a container with
nothing in it but the parts of sheets with cells, under the usual names; their packed bytes are copied as they are.
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from five_precisions.intake.reading import binary_parts, xml_parts
from five_precisions.intake.reading.delivered_xml import read_tags
from five_precisions.intake.reading.sheet import Limits, damaged, unpacked_too_large
from five_precisions.intake.reading.sheet_parts import CellStyles, ListedSheet

CHUNK: Final = 1 << 20
_LARGEST_SMALL_PART: Final = 32 << 20
"""Bytes of one that is read whole: styles, the list of sheets, relations."""
_MOST_RELATIONS: Final = 10_000
_USUAL_WORKBOOKS: Final = ("xl/workbook.xml", "xl/workbook.bin")
_NO_CELLS: Final = frozenset({"chartsheet", "dialogsheet", "xlmacrosheet", "xlintlmacrosheet"})
"""Kinds of sheets beside those with cells: charts, dialogs and the macros of old."""
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"


def small_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str, limits: Limits) -> Iterator[bytes]:
    """The bytes of a member that is no sheet, whatever its directory says of its size.

    Raises:
        UnreadableFileError: it is larger than any such part.
    """
    left = min(_LARGEST_SMALL_PART, limits.unpacked_bytes)
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise unpacked_too_large(limits)
            yield chunk


@dataclass(frozen=True, slots=True)
class ContainedBook:
    """What the workbook says of its parts."""

    is_binary: bool
    sheets: list[tuple[ListedSheet, zipfile.ZipInfo]]
    """Those with cells, in order."""
    texts: zipfile.ZipInfo | None
    """Shared texts."""
    cell_styles: zipfile.ZipInfo | None
    styles: CellStyles
    epoch_1904: bool
    described_in: tuple[zipfile.ZipInfo, ...]
    """The parts of XML that say all this."""

    @property
    def parts(self) -> list[zipfile.ZipInfo]:
        """Those that the library reads."""
        return [*(part for _, part in self.sheets), *(part for part in (self.texts, self.cell_styles) if part)]


@dataclass(frozen=True, slots=True)
class _PartRelation:
    kind: str
    """The end of its type, in small letters."""
    target: zipfile.ZipInfo | None


class _Members:
    """The members of the zip, by names that differ neither in case nor in slashes."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._by_name = {_plain(member.filename): member for member in archive.infolist()}

    def find(self, *names: str) -> zipfile.ZipInfo | None:
        """The first of these that is there."""
        return next((self._by_name[_plain(name)] for name in names if _plain(name) in self._by_name), None)

    def read(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of a part that is no sheet."""
        return small_part(self._archive, member, self._limits)

    def relations(self, part: str) -> tuple[dict[str, _PartRelation], tuple[zipfile.ZipInfo, ...]]:
        """By their IDs, those of a part, or of the package itself ("") to other parts; and the part that says so."""
        folder, _, file = part.rpartition("/")
        said_by = self.find(f"{folder}/_rels/{file}.rels")
        relations: dict[str, _PartRelation] = {}
        for tag in read_tags(self.read(said_by)) if said_by else ():
            if tag.name != "Relationship" or tag.attributes.get("TargetMode") == "External":
                continue
            if len(relations) >= _MOST_RELATIONS:
                raise damaged()
            target = tag.attributes.get("Target", "").replace("\\", "/")
            # Some write the whole path without the slash that would say so.
            places = (posixpath.join("/" + folder, target), target)
            kind = tag.attributes.get("Type", "").rpartition("/")[2].lower()
            relations[tag.attributes.get("Id", "")] = _PartRelation(kind, self.find(*places))
        return relations, (said_by,) if said_by else ()


def _plain(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/").lower()


def read_book(archive: zipfile.ZipFile, limits: Limits) -> ContainedBook:
    """What the workbook of a container says.

    Raises:
        UnreadableFileError: it is damaged, or no workbook.
        Exception: as zipfile and struct raise them for what is damaged.
    """
    members = _Members(archive, limits)
    package, said_by = members.relations("")
    documents = (each.target for each in package.values() if each.kind == "officedocument" and each.target)
    workbook = next(documents, None) or members.find(*_USUAL_WORKBOOKS)
    if workbook is None:
        raise damaged()
    name = workbook.filename.replace("\\", "/")
    relations, also_said_by = members.relations(name)
    content = b"".join(members.read(workbook))
    is_binary = binary_parts.is_binary(content)
    listed, epoch_1904 = binary_parts.list_sheets(content) if is_binary else xml_parts.list_sheets([content])
    others = _other_parts(members, relations, posixpath.dirname(name), "bin" if is_binary else "xml")
    texts, cell_styles = others
    return ContainedBook(
        is_binary,
        list(_with_cells(listed, relations)),
        texts,
        cell_styles,
        _styles(members, cell_styles, is_binary=is_binary),
        epoch_1904,
        (*said_by, *also_said_by, *(() if is_binary else (workbook,))),
    )


def _other_parts(
    members: _Members, relations: dict[str, _PartRelation], folder: str, ending: str
) -> tuple[zipfile.ZipInfo | None, zipfile.ZipInfo | None]:
    """Shared texts and styles, by their relation or else by their usual name."""
    targets = {each.kind: each.target for each in relations.values()}
    texts, styles = (
        targets.get(kind.lower()) or members.find(f"{folder}/{kind}.{ending}") for kind in ("sharedStrings", "styles")
    )
    return texts, styles


def _styles(members: _Members, part: zipfile.ZipInfo | None, *, is_binary: bool) -> CellStyles:
    if part is None:
        return CellStyles({}, frozenset())
    chunks = members.read(part)
    return binary_parts.read_styles(b"".join(chunks)) if is_binary else xml_parts.read_styles(chunks)


def _with_cells(
    listed: list[ListedSheet], relations: dict[str, _PartRelation]
) -> Iterator[tuple[ListedSheet, zipfile.ZipInfo]]:
    seen: set[int] = set()
    for sheet in listed:
        relation = relations.get(sheet.relation)
        if relation and relation.kind in _NO_CELLS:
            continue
        # A part that many sheets share would be read again and again.
        if relation is None or relation.target is None or relation.target.header_offset in seen:
            raise damaged()
        seen.add(relation.target.header_offset)
        yield sheet, relation.target


def usual_container(content: bytes, book: ContainedBook) -> bytes:
    """A container of the parts that the library reads, under the names that it knows; sheets are named by numbers.

    Raises:
        struct.error: a part has no header of its own, or is larger than a plain zip can say.
    """
    ending = "bin" if book.is_binary else "xml"
    copied = {f"xl/worksheets/sheet{number}.{ending}": part for number, (_, part) in enumerate(book.sheets, start=1)}
    for name, part in (("sharedStrings", book.texts), ("styles", book.cell_styles)):
        if part:
            copied[f"xl/{name}.{ending}"] = part
    members = [*_written_parts(book, ending)]
    members += [_Member(name, part, _packed(content, part)) for name, part in copied.items()]
    return _zip_of(members)


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    packing: zipfile.ZipInfo
    """How it is packed."""
    packed: bytes


def _written_parts(book: ContainedBook, ending: str) -> Iterator[_Member]:
    names = [f"s{number}" for number in range(1, len(book.sheets) + 1)]
    relations = "".join(
        f'<Relationship Id="{name}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{name[1:]}.{ending}"/>'
        for name in names
    )
    parts = {f"xl/_rels/workbook.{ending}.rels": _relations_part(relations)}
    if book.is_binary:
        parts["xl/workbook.bin"] = binary_parts.workbook_of(names, epoch_1904=book.epoch_1904)
    else:
        listed = "".join(f'<sheet name="{name}" sheetId="{name[1:]}" r:id="{name}"/>' for name in names)
        parts["xl/workbook.xml"] = (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><workbookPr date1904="{int(book.epoch_1904)}"/>'
            f"<sheets>{listed}</sheets></workbook>"
        ).encode()
        document = f'<Relationship Id="w" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        parts["_rels/.rels"] = _relations_part(document)
    for name, content in parts.items():
        packing = zipfile.ZipInfo(name)
        packing.CRC, packing.file_size = zlib.crc32(content), len(content)
        yield _Member(name, packing, content)


def _relations_part(relations: str) -> bytes:
    return f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>'.encode()


def _packed(content: bytes, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member as they are in the zip, behind its own header."""
    name, extra = struct.unpack_from("<HH", content, member.header_offset + 26)
    begin = member.header_offset + 30 + name + extra
    return content[begin : begin + member.compress_size]


def _zip_of(members: list[_Member]) -> bytes:
    written, directory, size = [], [], 0
    for member in members:
        name = member.name.encode()
        packing, packed = member.packing, member.packed
        # What a header and a line of the directory share; the time is the first one there is.
        common = struct.pack(
            "<HHHHHIIIHH",
            20,
            0,
            packing.compress_type,
            0,
            33,
            packing.CRC,
            len(packed),
            packing.file_size,
            len(name),
            0,
        )
        directory.append(b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, size) + name)
        written += [b"PK\3\4" + common + name, packed]
        size += 30 + len(name) + len(packed)
    lines = b"".join(directory)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(lines), size, 0)
    return b"".join([*written, lines, end])
