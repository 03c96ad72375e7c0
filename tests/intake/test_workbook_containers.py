"""A workbook is read whatever the program that wrote it calls its parts, and whatever it puts beside them."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Callable
from random import Random

import pytest

from five_precisions.intake.reading.files import Limits, Sheet, UnreadableFileError, read_file
from tests.fixtures.workbooks import Rows, bent, record_12, replaced, unzipped, xlsb, xlsx, zipped

ROWS: Rows = [["县区代码", "各项贷款余额"], ["441702", 1000.5]]
OTHER_ROWS: Rows = [["县区代码", "各项贷款余额"], ["441704", 2000.5]]
MAKE: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xlsb": xlsb}
ENDING = {"xlsx": "xml", "xlsb": "bin"}
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read(kind: str, content: bytes, **limits: int) -> list[Sheet]:
    return read_file(f"position.{kind}", content, known_headers=(), limits=Limits(**limits))


def renamed(members: dict[str, bytes], change: Callable[[str], str]) -> bytes:
    return zipped({change(name): data for name, data in members.items()})


def assert_sound(kind: str, content: bytes) -> None:
    assert [(sheet.name, sheet.rows) for sheet in read(kind, content)] == [("position", ROWS), ("more", OTHER_ROWS)]


@pytest.fixture(params=MAKE)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def members(kind: str) -> dict[str, bytes]:
    return unzipped(MAKE[kind]({"position": ROWS, "more": OTHER_ROWS}))


def test_usual_names(kind: str, members: dict[str, bytes]) -> None:
    assert_sound(kind, zipped(members))


def test_backslashes_in_names_of_members(kind: str, members: dict[str, bytes]) -> None:
    assert_sound(kind, renamed(members, lambda name: name.replace("/", "\\")))


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_names_of_members_in_another_case(kind: str, members: dict[str, bytes], change: Callable[[str], str]) -> None:
    assert_sound(kind, renamed(members, change))


def test_a_slash_before_the_names_of_members(kind: str, members: dict[str, bytes]) -> None:
    assert_sound(kind, renamed(members, lambda name: f"/{name}"))


def test_a_workbook_part_of_another_name(kind: str, members: dict[str, bytes]) -> None:
    members["_rels/.rels"] = members["_rels/.rels"].replace(b"xl/workbook.", b"/xl/workbook2.")
    assert_sound(kind, renamed(members, lambda name: name.replace("workbook.", "workbook2.")))


def test_a_workbook_in_another_folder(kind: str, members: dict[str, bytes]) -> None:
    members["_rels/.rels"] = members["_rels/.rels"].replace(b"xl/workbook.", b"\\ET\\workbook.")
    assert_sound(kind, renamed(members, lambda name: name.replace("xl/", "et/")))


def test_a_container_that_does_not_say_which_part_is_the_workbook(kind: str, members: dict[str, bytes]) -> None:
    members.pop("_rels/.rels")
    assert_sound(kind, zipped(members))


@pytest.mark.parametrize("written", ["/xl/worksheets/", "xl/worksheets/", "./worksheets/", "..\\xl\\Worksheets\\"])
def test_targets_of_every_form(kind: str, members: dict[str, bytes], written: str) -> None:
    name = f"xl/_rels/workbook.{ENDING[kind]}.rels"
    members[name] = replaced('"worksheets/', f'"{written}')(members[name])
    assert_sound(kind, zipped(members))


def test_sheets_texts_and_styles_of_other_names(kind: str, members: dict[str, bytes]) -> None:
    ending = ENDING[kind]
    name = f"xl/_rels/workbook.{ending}.rels"
    for old, new in (("worksheets/sheet", "data/tab"), ("sharedStrings", "texts"), ("styles", "looks")):
        members[name] = members[name].replace(f'Target="{old}'.encode(), f'Target="{new}'.encode())
        members = {member.replace(f"xl/{old}", f"xl/{new}"): data for member, data in members.items()}
    assert f"xl/data/tab1.{ending}" in members
    assert_sound(kind, zipped(members))


# What lies beside the sheets


@pytest.mark.parametrize(
    ("sort", "folder"),
    [
        ("http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet", "macrosheets"),
        ("http://schemas.microsoft.com/office/2006/relationships/xlIntlMacrosheet", "macrosheets"),
        (f"{RELATIONS}/dialogsheet", "dialogsheets"),
        (f"{RELATIONS}/chartsheet", "chartsheets"),
    ],
)
def test_sheets_without_cells_are_left_out(kind: str, members: dict[str, bytes], sort: str, folder: str) -> None:
    ending = ENDING[kind]
    name = f"xl/_rels/workbook.{ending}.rels"
    relation = f'<Relationship Id="rId77" Type="{sort}" Target="{folder}/sheet1.{ending}"/>'
    members[name] = replaced("</Relationships>", relation + "</Relationships>")(members[name])
    if kind == "xlsx":
        listed = b'<sheet name="\xe5\xae\x8f1" sheetId="99" r:id="rId77"/><sheet '
        members["xl/workbook.xml"] = members["xl/workbook.xml"].replace(b"<sheet ", listed, 1)
    else:
        wide = [bytes([len(text), 0, 0, 0]) + text.encode("utf-16-le") for text in ("rId77", "宏1")]
        listed = record_12(156, bytes(4) + b"\x63\0\0\0" + b"".join(wide))
        begin = record_12(143)
        members["xl/workbook.bin"] = members["xl/workbook.bin"].replace(begin, begin + listed, 1)
    assert_sound(kind, zipped({**members, f"xl/{folder}/sheet1.{ending}": b"\x81\x01\x00no sheet of cells"}))


def test_parts_beside_the_sheets_are_not_taken_for_cells(kind: str, members: dict[str, bytes]) -> None:
    # Read as records or tags of cells, each would span more than any sheet may.
    records = record_12(0, b"\xff\xff\x0f\x00" + bytes(13)) + record_12(5, b"\xff\x3f\0\0" + bytes(12))
    tags = b'<?xml version="1.0"?><x><c r="XFD1048576"><v>1</v></c></x>'
    beside = {
        "xl/printerSettings/printerSettings1.bin": Random(1).randbytes(800) + records,
        "xl/vbaProject.bin": records,
        "xl/pivotCache/pivotCacheRecords1.xml": tags,
        "xl/worksheets/sheet99.xml": tags,
        "xl/worksheets/sheet99.bin": records,
    }
    assert_sound(kind, zipped({**members, **beside}))


def test_texts_of_parts_that_nobody_reads_are_bounded_by_their_size_alone() -> None:
    content = zipped({**unzipped(xlsx({"position": ROWS})), "xl/media/image1.bmp": bytes(300_000)})
    assert [sheet.rows for sheet in read("xlsx", content, unpacked_bytes=1_000_000)] == [ROWS]
    with pytest.raises(UnreadableFileError, match="解压后超过"):
        read("xlsx", content, unpacked_bytes=300_000)
    texts = replaced("</sst>", f"<si><t>{'x' * 300_000}</t></si></sst>")
    content = bent(xlsx({"position": ROWS}), sharedStrings=texts)
    with pytest.raises(UnreadableFileError, match="文字超过"):
        read("xlsx", content, unpacked_bytes=1_000_000)


@pytest.mark.parametrize(
    "head", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_LE + "<?xml version='1.0'?>".encode("utf-16-le")]
)
def test_queries_in_utf_16_beside_the_sheets(kind: str, members: dict[str, bytes], head: bytes) -> None:
    mashup = '<DataMashup xmlns="http://schemas.microsoft.com/DataMashup">AAAA</DataMashup>'.encode("utf-16-le")
    assert_sound(kind, zipped({**members, "customXml/item1.xml": head + mashup}))


def test_members_that_are_stored_and_of_unknown_length() -> None:
    # So write programs that cannot go back in what they have written.
    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.content += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    stream = Stream()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, (name, data) in enumerate(unzipped(xlsx({"position": ROWS, "more": OTHER_ROWS})).items()):
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED)
    assert zipfile.ZipFile(io.BytesIO(stream.content)).infolist()[0].flag_bits & 8
    assert_sound("xlsx", stream.content)


# What the file says of itself


def test_a_count_of_texts_that_boasts_is_refused_before_room_is_made_for_it() -> None:
    def counted(number: int) -> bytes:
        return bent(
            xlsx({"position": ROWS}),
            sharedStrings=lambda data: re.sub(rb'uniqueCount="\d+"', b'uniqueCount="%d"' % number, data),
        )

    assert [sheet.rows for sheet in read("xlsx", counted(100), cells=100)] == [ROWS]
    with pytest.raises(UnreadableFileError, match="单元格超过"):
        read("xlsx", counted(101), cells=100)


def test_a_sheet_whose_part_is_missing_is_damaged(kind: str, members: dict[str, bytes]) -> None:
    members.pop(f"xl/worksheets/sheet2.{ENDING[kind]}")
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read(kind, zipped(members))


def test_a_sheet_outside_the_file_is_not_looked_for(kind: str, members: dict[str, bytes]) -> None:
    name = f"xl/_rels/workbook.{ENDING[kind]}.rels"
    members[name] = replaced('Target="worksheets/sheet2', 'TargetMode="External" Target="worksheets/sheet2')(
        members[name]
    )
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read(kind, zipped(members))
