"""What a sheet says beside its cells: that it is hidden, what is merged, and which formulas were never computed."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import openpyxl
import pytest
import xlsxwriter

from five_precisions.intake.reading.files import Sheet, read_file
from five_precisions.intake.reading.sheet import Area
from tests.fixtures.workbooks import Rows, bent, ods, ods_of_xml, record_12, replaced, xls, xlsb, xlsx, xlsx_of_xml

ROWS: Rows = [["网点代码", "网点名称"], ["441702", "城区"], ["441703", "乡镇"]]
MERGED = Area(1, 0, 2, 0)
END_OF_SHEET_DATA, END_OF_RECORDS = record_12(146), b"\x0a\x00\x00\x00"


def read(kind: str, content: bytes) -> list[Sheet]:
    return read_file(f"grid.{kind}", content, known_headers=())


# Hidden


def hidden_xlsx(state: str) -> bytes:
    return bent(
        xlsx({"a": ROWS, "b": ROWS}), workbook=replaced('<sheet name="b" ', f'<sheet state="{state}" name="b" ')
    )


def hidden_xlsb(state: int) -> bytes:
    # State, number, and the length of the relation's name.
    listed = struct.pack("<III", 0, 2, 4)
    return bent(xlsb({"a": ROWS, "b": ROWS}), workbook=replaced(listed, struct.pack("<III", state, 2, 4)))


def hidden_xls(state: int) -> bytes:
    content = xls({"a": ROWS, "b": ROWS})
    at = content.index(b"\x85\x00\x0a\x00", content.index(b"\x85\x00\x0a\x00") + 4) + 8
    return content[:at] + bytes([state]) + content[at + 1 :]


def hidden_ods(display: str) -> bytes:
    style = (
        '<office:automatic-styles xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0">'
        '<style:style style:name="ta1"><style:table-properties table:display="true"/></style:style>'
        f'<style:style style:name="ta2"><style:table-properties table:display="{display}"/></style:style>'
        "</office:automatic-styles><office:body>"
    )
    named = bent(
        ods({"a": ROWS, "b": ROWS}).replace(b"content.xml", b"cont/nt.xml"),
        nt=lambda data: (
            data.replace(b"<office:body>", style.encode())
            .replace(b'<table:table table:name="a"', b'<table:table table:style-name="ta1" table:name="a"')
            .replace(b'<table:table table:name="b"', b'<table:table table:style-name="ta2" table:name="b"')
        ),
    )
    return named.replace(b"cont/nt.xml", b"content.xml")


@pytest.mark.parametrize(
    ("kind", "content", "is_hidden"),
    [
        ("xlsx", hidden_xlsx("hidden"), True),
        ("xlsx", hidden_xlsx("veryHidden"), True),
        ("xlsx", hidden_xlsx("visible"), False),
        ("xlsb", hidden_xlsb(1), True),
        ("xlsb", hidden_xlsb(2), True),
        ("xlsb", hidden_xlsb(0), False),
        ("xls", hidden_xls(1), True),
        ("xls", hidden_xls(2), True),
        ("xls", hidden_xls(0), False),
        ("ods", hidden_ods("false"), True),
        ("ods", hidden_ods("true"), False),
    ],
)
def test_a_sheet_says_that_it_is_hidden(kind: str, content: bytes, is_hidden: bool) -> None:
    sheets = read(kind, content)
    assert [(sheet.name, sheet.is_hidden) for sheet in sheets] == [("a", False), ("b", is_hidden)]
    assert [sheet.rows for sheet in sheets] == [ROWS, ROWS]


# Merged


def merged_xlsx() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("grid")
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
        sheet.merge_range("A2:A3", "441702")
    return content.getvalue()


def merged_xlsb() -> bytes:
    areas = record_12(177, b"\1\0\0\0") + record_12(176, struct.pack("<IIII", 1, 2, 0, 0)) + record_12(178)
    return bent(xlsb({"grid": ROWS}), sheet1=replaced(END_OF_SHEET_DATA, END_OF_SHEET_DATA + areas))


def merged_xls() -> bytes:
    # In place of the record of the sheet's extent, which has room for one area and some bytes.
    content = xls({"grid": ROWS})
    extent = b"\x00\x02\x0e\x00"
    at = content.index(extent)
    areas = b"\xe5\x00\x0e\x00" + struct.pack("<HHHHH4x", 1, 1, 2, 0, 0)
    return content[:at] + areas + content[at + len(areas) :]


def merged_ods() -> bytes:
    def cell(text: str, spans: str = "") -> str:
        return f'<table:table-cell office:value-type="string"{spans}><text:p>{text}</text:p></table:table-cell>'

    spans = ' table:number-columns-spanned="1" table:number-rows-spanned="2"'
    rows = [
        cell("网点代码") + cell("网点名称"),
        cell("441702", spans) + cell("城区"),
        '<table:covered-table-cell office:value-type="string"><text:p>441703</text:p></table:covered-table-cell>'
        + cell("乡镇"),
    ]
    written = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    return ods_of_xml(f'<table:table table:name="grid">{written}</table:table>')


@pytest.mark.parametrize(
    ("kind", "make"), [("xlsx", merged_xlsx), ("xlsb", merged_xlsb), ("xls", merged_xls), ("ods", merged_ods)]
)
def test_a_sheet_says_what_is_merged(kind: str, make: Callable[[], bytes]) -> None:
    (sheet,) = read(kind, make())
    assert sheet.merged == (MERGED,)
    assert sheet.rows[1:] in ([["441702", "城区"], ["441703", "乡镇"]], [["441702", "城区"], [None, "乡镇"]])


def merged_in_xml(areas: list[str]) -> tuple[Area, ...]:
    row = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    tags = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    (sheet,) = read("xlsx", xlsx_of_xml(f"{row}</sheetData><mergeCells>{tags}</mergeCells><sheetData>"))
    return sheet.merged


def test_merged_areas_are_cut_to_the_rows_that_are_there() -> None:
    assert merged_in_xml(["A1:B1048576", "A2:A9", "C1:C1", "A2:C2", "A3:B9", "B2:A1"]) == (
        Area(0, 0, 1, 1),
        Area(1, 0, 1, 2),
    )


def test_merged_areas_are_found_wherever_a_piece_ends_and_only_so_many_are_told_of() -> None:
    # Some twenty bytes each: more than a piece of a megabyte.
    found = merged_in_xml([f"A{1 + number % 2}:{'B' * (1 + number % 3)}2" for number in range(60_000)])
    assert len(found) == 10_000
    found = merged_in_xml(["A9:B9"] * 60_000 + ["A1:B2"])
    assert found in ((), (Area(0, 0, 1, 1),))


# Never computed


def test_formulas_of_a_program_that_computes_nothing() -> None:
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["B1"], sheet["A2"], sheet["B2"] = "余额", "合计", 1000.5, "=A2*2"
    book.save(content)
    (read_sheet,) = read("xlsx", content.getvalue())
    assert read_sheet.rows == [["余额", "合计"], [1000.5, None]]
    assert read_sheet.uncomputed == {(1, 1)}


UNCOMPUTED = [
    '<c r="B2"><f>A1*2</f></c>',
    '<c r="B2" s="0"><f>A1*2</f><v></v></c>',
    '<c r="B2"><f>A1*2</f><v/></c>',
    "<c r='B2'><f>A1&gt;2</f><v /></c>",
    '<c r="B2"><f t="shared" si="0"/></c>',
    '<c r="B2"><f t="shared" ref="B2:B9" si="0">A1>2</f></c>',
    '<c r="B2">\n  <f>A1*2</f>\n  <v>\n</v>\n</c>',
    '<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="B2"><x:f>A1*2</x:f></x:c>',
]
COMPUTED = [
    '<c r="B2"><f>A1*2</f><v>2</v></c>',
    '<c r="B2"><f t="shared" si="0"/><v>2</v></c>',
    '<c r="B2" t="str"><f>""</f><v></v></c>',
    '<c r="B2" t="str"><f>""</f></c>',
    '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    '<c r="B2"/>',
    '<c r="B2" t="inlineStr"><is><t>&lt;f&gt;&lt;/f&gt;</t></is></c>',
]


@pytest.mark.parametrize(
    ("cell", "places"), [*((cell, {(1, 1)}) for cell in UNCOMPUTED), *((cell, set()) for cell in COMPUTED)]
)
def test_a_formula_without_a_stored_value(cell: str, places: set[tuple[int, int]]) -> None:
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c>{cell}<c r="C2"><v>1</v></c></row>'
    (sheet,) = read("xlsx", xlsx_of_xml(rows))
    assert sheet.uncomputed == places


@pytest.mark.parametrize(
    ("attributes", "is_uncomputed"),
    [
        ("", True),
        (' office:value-type="float"', True),
        (' office:value-type="float" office:value="2"', False),
        (' office:value-type="string"', False),
    ],
)
def test_a_formula_of_opendocument_without_a_stored_value(attributes: str, is_uncomputed: bool) -> None:
    cell = f'<table:table-cell table:formula="of:=[.A1]*2"{attributes}/>'
    rows = f"<table:table-row/><table:table-row><table:table-cell/>{cell}</table:table-row>"
    (sheet,) = read("ods", ods_of_xml(f'<table:table table:name="grid">{rows}</table:table>'))
    assert sheet.uncomputed == ({(1, 1)} if is_uncomputed else set())


@pytest.mark.parametrize(("kind", "content"), [("xls", xls({"a": ROWS})), ("xlsb", xlsb({"a": ROWS}))])
def test_formats_that_always_store_a_value_tell_of_none(kind: str, content: bytes) -> None:
    assert read(kind, content)[0].uncomputed == frozenset()
