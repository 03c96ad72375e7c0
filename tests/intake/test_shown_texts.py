"""A text of a workbook is what a person sees in its cell: whole, with its blanks, without what stands above it."""

from __future__ import annotations

import pytest

from five_precisions.intake.reading.files import read_file
from five_precisions.reports.cells import Cell
from tests.fixtures.workbooks import bent, xlsx, xlsx_of_xml

PHONETIC = '<rPh sb="0" eb="1"><t>ZHANG</t></rPh><phoneticPr fontId="1"/>'
TEXTS = {
    f"<t>张三</t>{PHONETIC}": "张三",
    f"<r><t>张</t></r><r><rPr><b/></rPr><t>三</t></r>{PHONETIC}": "张三",
    '<r><t>李</t></r><r><t xml:space="preserve"> 四 </t></r>': "李 四 ",
    '<t xml:space="preserve">  a  </t>': "  a  ",
    "<t>a_x000D_\nb</t>": "a\r\nb",
    "<t>a_x005F_x000D_</t>": "a_x000D_",
    "<t>a&amp;&lt;&#66;<![CDATA[<c]]></t>": "a&<B<c",
    "<t>a<!-- no text -->b</t>": "ab",
    "<t/>": None,
}


@pytest.mark.parametrize(("written", "shown"), TEXTS.items())
def test_shared_and_inline_texts(written: str, shown: Cell) -> None:
    def shared(data: bytes) -> bytes:
        return data.replace(b"<t>a text</t>", written.encode())

    (sheet,) = read_file("a.xlsx", bent(xlsx({"a": [["a text", "b"]]}), sharedStrings=shared), known_headers=())
    assert sheet.rows == [[shown, "b"]]
    inline = f'<row r="1"><c r="A1" t="inlineStr"><is>{written}</is></c><c r="B1"><v>1</v></c></row>'
    (sheet,) = read_file("a.xlsx", xlsx_of_xml(inline), known_headers=())
    assert sheet.rows == [[shown, 1.0]]


def test_texts_of_formulas() -> None:
    cells = (
        '<c r="A1" t="str"><f>B1</f><v>x_x000D_y</v></c><c r="B1" t="str"><f>C1</f><v xml:space="preserve"> q </v></c>'
    )
    (sheet,) = read_file("a.xlsx", xlsx_of_xml(f'<row r="1">{cells}</row>'), known_headers=())
    assert sheet.rows == [["x\ry", " q "]]
