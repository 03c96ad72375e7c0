"""An entity is refused in every part, encoding and place; what real programs write is read or clearly refused (F01)."""

from __future__ import annotations

import codecs
from collections.abc import Callable

import pytest

from five_precisions.intake.reading.delivered_xml import Reading, Tag, read_tags, read_xml
from five_precisions.intake.reading.files import Limits, Sheet, UnreadableFileError, read_file
from tests.fixtures.workbooks import ods, unzipped, xlsb, xlsx, zipped

ROWS = [["县区代码", "各项贷款余额"], ["441702", 1000.5]]
LATIN_ROWS = [["code", "Käse"], ["441702", 1000.5]]
DECLARATION = '<!DOCTYPE x [<!ENTITY e "one harmless line">]>'
MAKE: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xlsb": xlsb, "ods": ods}
PARTS = [
    ("xlsx", "xl/workbook.xml"),
    ("xlsx", "xl/_rels/workbook.xml.rels"),
    ("xlsx", "xl/styles.xml"),
    ("xlsx", "xl/sharedStrings.xml"),
    ("xlsx", "xl/worksheets/sheet1.xml"),
    ("xlsx", "_rels/.rels"),
    ("xlsx", "[Content_Types].xml"),
    ("xlsx", "customXml/item1.xml"),
    ("xlsb", "xl/_rels/workbook.bin.rels"),
    ("ods", "content.xml"),
    ("ods", "styles.xml"),
    ("ods", "META-INF/manifest.xml"),
    ("ods", "a part named as it likes"),
]
READ_BY_LIBRARY = [part for kind, part in PARTS if kind != "ods" and part.startswith(("xl/", "_rels/"))]
ENCODINGS = {
    "UTF-8": b"",
    "utf-8": codecs.BOM_UTF8,
    "UTF-16LE": codecs.BOM_UTF16_LE,
    "UTF-16BE": codecs.BOM_UTF16_BE,
    "GB18030": b"",
    "GBK": b"",
    "ISO-8859-1": b"",
    "US-ASCII": b"",
}


def read(kind: str, content: bytes) -> list[Sheet]:
    return read_file(f"position.{kind}", content, known_headers=())


def in_encoding(part: bytes, encoding: str, before_root: str = "") -> bytes:
    """The part as if its program wrote that encoding."""
    text = part.decode("utf-8")
    root = text[text.index("?>") + 2 :] if text.startswith("<?xml") else text
    declared = "UTF-16" if encoding.startswith("UTF-16") else encoding
    head = f'<?xml version="1.0" encoding="{declared}"?>\n{before_root}'
    return ENCODINGS[encoding] + (head + root.lstrip()).encode(encoding, "xmlcharrefreplace")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_an_entity_is_refused(kind: str, part: str, encoding: str) -> None:
    members = unzipped(MAKE[kind]({"position": ROWS}))
    sound = members.get(part, b'<?xml version="1.0"?><x>&#65;</x>')
    members[part] = in_encoding(sound, encoding)
    if part in READ_BY_LIBRARY and encoding not in ("UTF-8", "utf-8", "US-ASCII"):
        with pytest.raises(UnreadableFileError, match="文字编码不是 UTF-8"):
            read(kind, zipped(members))
    else:
        assert [sheet.rows for sheet in read(kind, zipped(members))] == [ROWS]
    members[part] = in_encoding(sound, encoding, DECLARATION)
    with pytest.raises(UnreadableFileError, match="XML 实体声明"):
        read(kind, zipped(members))


@pytest.mark.parametrize("piece", [1 << 18, 1 << 20])
@pytest.mark.parametrize("before", range(len("<!DOCTYPE") + 1))
@pytest.mark.parametrize(("kind", "part"), [("xlsx", "xl/sharedStrings.xml"), ("ods", "content.xml")])
def test_an_entity_is_refused_at_the_border_of_pieces(kind: str, part: str, before: int, piece: int) -> None:
    members = unzipped(MAKE[kind]({"position": ROWS}))
    filled = "".join(f"<!-- {'x' * 990} -->\n" for _ in range(piece // 1000 - 1))
    head = len('<?xml version="1.0" encoding="UTF-8"?>\n')
    padding = " " * (piece - head - len(filled) - before)
    members[part] = in_encoding(members[part], "UTF-8", f"{filled}{padding}{DECLARATION}")
    assert members[part].index(b"<!DOCTYPE") == piece - before
    with pytest.raises(UnreadableFileError, match="XML 实体声明"):
        read(kind, zipped(members))


def test_a_document_type_without_entities_is_refused_where_data_are_read() -> None:
    members = unzipped(ods({"position": ROWS}))
    members["content.xml"] = in_encoding(members["content.xml"], "UTF-8", '<!DOCTYPE x SYSTEM "x.dtd">')
    with pytest.raises(UnreadableFileError, match="XML 实体声明"):
        read("ods", zipped(members))


def test_the_manifest_of_openoffice_2_names_a_document_type() -> None:
    members = unzipped(ods({"position": ROWS}))
    named = '<!DOCTYPE manifest:manifest PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd">\n'
    members["META-INF/manifest.xml"] = in_encoding(members["META-INF/manifest.xml"], "UTF-8", named)
    (sheet,) = read("ods", zipped(members))
    assert sheet.rows == ROWS


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_opendocument_is_read_in_every_encoding(encoding: str) -> None:
    rows = LATIN_ROWS if encoding in ("ISO-8859-1", "US-ASCII") else ROWS
    members = unzipped(ods({"position": rows}))
    members["content.xml"] = in_encoding(members["content.xml"], encoding)
    (sheet,) = read("ods", zipped(members))
    assert sheet.rows == rows


@pytest.mark.parametrize("part", ["workbook", "styles", "sharedStrings", "worksheets/sheet1"])
@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE"])
def test_a_workbook_in_utf_16_is_clearly_refused(encoding: str, part: str) -> None:
    members = unzipped(xlsx({"position": ROWS}))
    members[f"xl/{part}.xml"] = in_encoding(members[f"xl/{part}.xml"], encoding)
    with pytest.raises(UnreadableFileError, match="文字编码不是 UTF-8"):
        read("xlsx", zipped(members))


@pytest.mark.parametrize("encoding", ["utf-7", "shift_jis", "EBCDIC-CP-US", "no-such-encoding"])
@pytest.mark.parametrize(("kind", "part"), [("xlsx", "xl/worksheets/sheet1.xml"), ("ods", "content.xml")])
def test_an_unknown_encoding_is_clearly_refused(kind: str, part: str, encoding: str) -> None:
    members = unzipped(MAKE[kind]({"position": ROWS}))
    root = members[part].partition(b"?>")[2]
    members[part] = f'<?xml version="1.0" encoding="{encoding}"?>{DECLARATION}'.encode() + root
    with pytest.raises(UnreadableFileError, match="文字编码不是 UTF-8"):
        read(kind, zipped(members))


def test_a_workbook_with_a_byte_order_mark_is_read() -> None:
    members = unzipped(xlsx({"position": ROWS}))
    members = {
        name: codecs.BOM_UTF8 + data if name.endswith((".xml", ".rels")) else data for name, data in members.items()
    }
    (sheet,) = read("xlsx", zipped(members))
    assert sheet.rows == ROWS


@pytest.mark.parametrize("part", ["customXml/item1.xml", "xl/vbaProject.bin", "xl/media/image1.png"])
def test_parts_that_nobody_reads_may_hold_anything(part: str) -> None:
    members = unzipped(xlsx({"position": ROWS}))
    # Power Query keeps its formulas so.
    mashup = '<?xml version="1.0" encoding="utf-16"?><DataMashup xmlns="http://schemas.microsoft.com/DataMashup"/>'
    for held in (codecs.BOM_UTF16_LE + mashup.encode("utf-16-le"), mashup.encode(), bytes(range(256)) * 2000):
        (sheet,) = read("xlsx", zipped({**members, part: held}))
        assert sheet.rows == ROWS


def test_tags_of_a_part_with_their_parents() -> None:
    part = b'<a xmlns="urn:x" xmlns:y="urn:y"><b y:id="1"/><y:c><b/></y:c></a>'
    assert list(read_tags([part[:20], part[20:]])) == [
        Tag("a", "", {}),
        Tag("b", "a", {"id": "1"}),
        Tag("c", "a", {}),
        Tag("b", "c", {}),
    ]


@pytest.mark.parametrize(
    "part",
    [
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"<a>" + b"".join(b"<a%d/>" % number for number in range(10_001)) + b"</a>",
        b"<a>" + b"".join(b'<b c%d=""/>' % number for number in range(10_001)) + b"</a>",
        b'<a b="' + b"x" * 1_600_000 + b'"/>',
        b"<a><!--" + b"x" * 1_600_000 + b"--></a>",
    ],
    ids=["depth", "elements", "attributes", "attribute", "comment"],
)
def test_what_a_parser_would_hold_is_bounded(part: bytes) -> None:
    pieces = [part[at : at + 10_000] for at in range(0, len(part), 10_000)]
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read_xml([part], Reading())
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read_xml(pieces, Reading())


@pytest.mark.parametrize("part", [b"", b"no xml", b"<a>", b"<a></b>", b"<a>\xff</a>", b"<a>&amp;&e;</a>"])
def test_what_is_no_xml_is_damaged(part: bytes) -> None:
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read_xml([part], Reading())


def test_more_tables_than_a_document_has() -> None:
    assert len(read("ods", ods({f"t{number}": [[1.0]] for number in range(500)}))) == 500
    with pytest.raises(UnreadableFileError, match="已损坏"):
        read("ods", ods({f"t{number}": [[1.0]] for number in range(501)}))


def test_empty_rows_between_cells_count_as_cells() -> None:
    rows = [*[[]] * 30, ["x"]]
    (sheet,) = read_file("a.ods", ods({"a": rows}), known_headers=(), limits=Limits(cells=31))
    assert sheet.rows == rows
    with pytest.raises(UnreadableFileError, match="散布得过宽"):
        read_file("a.ods", ods({"a": rows}), known_headers=(), limits=Limits(cells=30))
