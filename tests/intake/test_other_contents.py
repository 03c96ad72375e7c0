"""Files named as workbooks that are something else: pages, XML spreadsheets, texts (docs/intake.md#the-package)."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from five_precisions.intake.package_sheets import known_headers
from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.sheet import Area, Limits, Sheet, UnreadableFileError
from tests.packages import csv_bytes, sound, table

LOANS = table("loans", [sound("loans", contract_no=f"HT-{number}") for number in range(3)])
CELLS: list[list[object]] = [[cell or None for cell in row] for row in LOANS]
SS = "urn:schemas-microsoft-com:office:spreadsheet"
EXCEL = "urn:schemas-microsoft-com:office:excel"


def sheets_of(content: bytes | str, name: str = "loans.xls", limits: Limits | None = None) -> list[Sheet]:
    content = content.encode() if isinstance(content, str) else content
    return read_file(name, content, known_headers=known_headers(), limits=limits or Limits())


def rows_of(content: bytes | str, name: str = "loans.xls") -> list[list[object]]:
    (sheet,) = sheets_of(content, name)
    return [list(row) for row in sheet.rows]


def refusal_of(content: bytes | str, name: str = "loans.xls", limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableFileError) as refused:
        sheets_of(content, name, limits)
    return str(refused.value)


def html_rows(rows: list[list[str]]) -> str:
    return "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)


def page(body: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body>{body}</body></html>"


def trimmed(rows: list[list[object]]) -> list[list[object]]:
    """Without the empty cells at the ends of rows."""
    kept = [list(row) for row in rows]
    for row in kept:
        while row and row[-1] is None:
            row.pop()
    return kept


# Pages


@pytest.mark.parametrize("name", ["loans.xls", "loans.et", "loans.xlsx", "LOANS.XLS"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("declared", ["", '<meta charset="gb2312">', '<meta http-equiv="x" content="charset=utf-8">'])
def test_a_page_is_read_in_its_encoding_whatever_it_declares(name: str, encoding: str, declared: str) -> None:
    content = page(f"<table border=1>{html_rows(LOANS)}</table>", declared).encode(encoding)
    assert rows_of(content, name) == trimmed(CELLS)


def test_a_page_of_excel_is_read_as_it_is_shown() -> None:
    head = """<meta name=ProgId content=Excel.Sheet><!--[if gte mso 9]><xml><x:ExcelWorkbook><x:Name>台账</x:Name>
    </x:ExcelWorkbook></xml><![endif]--><style><!-- .xl24 {mso-number-format:"\\@";} td {a:b} --></style>"""
    body = """<table x:str><![if supportMisalignedColumns]><col width=72><![endif]>
    <tr><td colspan=3 class=xl24>贷款&nbsp;台账<script>x = "<td>1</td>"</script></td></tr>
    <tr style='display:none'><th>合同
        编号<th>借款人名称<TH x:num>发放金额
    <tr><td rowspan="2" style="mso-number-format:'\\@'">4.41702E+17</td><td>陈&lt;大&gt;<br>文</td><td>&yen;5</td></tr>
    <tr><td><p>李</p><p>某</p></td><td>&#20803;</td></tr>
    </table>"""
    (sheet,) = sheets_of(page(body, head))
    assert sheet.rows == [
        ["贷款\xa0台账"],
        ["合同 编号", "借款人名称", "发放金额"],
        ["4.41702E+17", "陈<大>\n文", "¥5"],
        [None, "李\n某", "元"],
    ]
    assert sheet.merged == (Area(0, 0, 0, 2), Area(2, 0, 3, 0))
    assert (sheet.name, sheet.is_hidden) == (None, False)


def test_cells_that_reach_down_and_across_push_the_others_aside() -> None:
    body = """<table><tr><td>合同编号<td rowspan=2 colspan=2>借款人名称<td>发放金额</td>
    <tr><td>b<td>e</tr><tr><td>1<td>2<td>3<td rowspan=1000000000>4</tr></table>"""
    (sheet,) = sheets_of(page(body))
    assert sheet.rows == [["合同编号", "借款人名称", None, "发放金额"], ["b", None, None, "e"], ["1", "2", "3", "4"]]
    assert sheet.merged == (Area(0, 1, 1, 2), Area(2, 3, 2, 3))


def test_a_table_in_a_cell_is_text_of_the_cell_and_a_table_that_arranges_is_none() -> None:
    inner = html_rows([["x", "y"]])
    (sheet, other) = sheets_of(
        page(f"<table>{html_rows([['合同编号', '借款人名称']])}<tr><td>HT-1 <table>{inner}</table>")
    )
    assert [sheet.rows, other.rows] == [[["合同编号", "借款人名称"], ["HT-1 x y"]], [["x", "y"]]]
    around = f"<table><tr><td>标题<tr><td><table>{html_rows(LOANS)}</table><tr><td>页脚</table>"
    assert rows_of(page(around)) == trimmed(CELLS)


def test_of_several_tables_the_one_with_the_headers_is_the_first() -> None:
    title, data = "<table><tr><td>贷款台账</table><table> </table>", f"<table>{html_rows(LOANS)}</table>"
    sheets = sheets_of(page(title + data))
    assert [(sheet.name, trimmed([list(row) for row in sheet.rows])) for sheet in sheets] == [
        ("表3", trimmed(CELLS)),
        ("表1", [["贷款台账"]]),
    ]
    visits = f"<table><caption>走访</caption>{html_rows(table('visits', [sound('visits')]))}</table>"
    assert [sheet.name for sheet in sheets_of(page(visits + data))] == ["表2", "走访"]


def test_two_tables_with_the_same_headers_are_not_taken_for_one() -> None:
    data = f"<table>{html_rows(LOANS)}</table>"
    assert "不止一个表格有同样的表头" in refusal_of(page(data + data))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (page("<table><tr><td>请登录</td></tr></table>"), "内容却是网页（HTML），其中没有"),
        (page("登录超时"), "内容却是网页（HTML），其中没有"),
        ("MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n" + page("x"), "内容却是网页存档（MHTML）"),
        ("From: <Excel>\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\n" + page("x"), "内容却是网页存档（MHTML）"),
        ("<?xml version='1.0'?><data><row>合同编号</row></data>", "内容却是XML 文件"),
        ("第一行\r\n第二行", "内容却是文本，其中没有"),
        ("%PDF-1.4", "内容却是PDF 文件"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(20), "是压缩文件，请解压后报送"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "是压缩文件，请解压后报送"),
        (b"\x1f\x8b\x08" + bytes(20), "是压缩文件，请解压后报送"),
        (bytes(257) + b"ustar" + bytes(20), "是压缩文件，请解压后报送"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "不是电子表格文件"),
    ],
)
@pytest.mark.parametrize("suffix", ["xls", "xlsx", "et", "ods"])
def test_what_is_no_report_is_named_as_what_it_is(content: bytes | str, words: str, suffix: str) -> None:
    message = refusal_of(content, f"loans.{suffix}")
    assert words in message
    assert message.endswith("。")
    if "内容却是" in words:
        assert message.startswith(f"文件名是 .{suffix}，")


@pytest.mark.parametrize("suffix", ["rar", "7z", "tar", "gz"])
def test_archives_are_named(suffix: str) -> None:
    assert refusal_of(b"x", f"loans.{suffix}") == "是压缩文件，请解压后报送（或改用 zip）。"
    assert "et、xlsb、ods、csv、parquet" in refusal_of(b"x", "loans.html")


# Texts


@pytest.mark.parametrize("delimiter", ["\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["loans.xls", "loans.xlsx", "loans.et"])
def test_a_text_is_read(delimiter: str, encoding: str, name: str) -> None:
    assert rows_of(csv_bytes(LOANS, delimiter=delimiter, encoding=encoding), name) == CELLS


def test_a_text_that_cannot_be_read_is_to_be_saved_as_a_workbook() -> None:
    content = csv_bytes(LOANS, delimiter="\t", encoding="gb18030")
    assert "另存为 xlsx 后" in refusal_of(content + b"\xb3")


# XML spreadsheets


def workbook(body: str, styles: str = "", before: str = '<?xml version="1.0"?>', encoding: str = "utf-8") -> bytes:
    return (
        f'{before}<?mso-application progid="Excel.Sheet"?>\n'
        f'<Workbook xmlns="{SS}" xmlns:ss="{SS}" xmlns:x="{EXCEL}"><Styles>{styles}</Styles>{body}</Workbook>'
    ).encode(encoding)


def worksheet(rows: str, name: str = "loans", options: str = "") -> str:
    return f'<Worksheet ss:Name="{name}"><Table>{rows}</Table>{options}</Worksheet>'


def xml_rows(rows: list[list[str]]) -> str:
    return "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{escape(c)}</Data></Cell>' for c in row) + "</Row>"
        for row in rows
    )


HEADER = xml_rows([["合同编号", "借款人名称", "年利率"]])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb2312", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["loans.xls", "loans.xlsx", "loans.et"])
def test_an_xml_spreadsheet_is_read(encoding: str, name: str) -> None:
    declared = encoding.removesuffix("-sig")
    content = workbook(
        worksheet(xml_rows(LOANS)), before=f'<?xml version="1.0" encoding="{declared}"?>', encoding=encoding
    )
    (sheet,) = sheets_of(content, name)
    assert sheet.name == "loans"
    assert [row + [None] * (len(CELLS[0]) - len(row)) for row in sheet.rows] == CELLS


def test_cells_and_rows_of_an_xml_spreadsheet_stand_where_they_say() -> None:
    rows = f"""<Column ss:Index="2" ss:Span="1"/>{HEADER}
    <Row ss:Index="4" ss:Hidden="1"><Cell ss:Index="2"><Data ss:Type="String">b</Data>
      <Comment><ss:Data xmlns="http://www.w3.org/TR/REC-html40"><B>注</B></ss:Data></Comment></Cell>
      <Cell ss:MergeAcross="1" ss:MergeDown="2"><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">c<B>d</B>
</ss:Data></Cell><Cell><Data ss:Type="String">f</Data></Cell><Cell ss:StyleID="x"/></Row>
    <Row ss:Span="3"/><Row><Cell ss:Formula="=1+1"/><Cell ss:Formula="=R1"><Data ss:Type="Number">2</Data></Cell></Row>
    <Row ss:Index="1000000000"/>"""
    hidden = f'<WorksheetOptions xmlns="{EXCEL}"><Visible>SheetHidden</Visible></WorksheetOptions>'
    (sheet, second) = sheets_of(workbook(worksheet(rows) + worksheet("", "b", hidden)))
    assert sheet.rows[1:] == [[], [], [None, "b", "cd\n", None, "f"], [], [], [], [], [None, 2.0]]
    assert sheet.merged == (Area(3, 2, 5, 3),)
    assert sheet.uncomputed == {(8, 0)}
    assert [sheet.is_hidden, second.is_hidden] == [False, True]
    assert (second.name, second.rows) == ("b", [])


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("Number", "4.9", 4.9),
        ("Number", "4.41702198001010017E17", 4.41702198001010017e17),
        ("Number", "INF", "INF"),
        ("Number", "x", "x"),
        ("DateTime", "2019-06-30T00:00:00.000", date(2019, 6, 30)),
        ("DateTime", "2019-06-30T16:30:00.000", datetime(2019, 6, 30, 16, 30)),  # noqa: DTZ001 - cells have no zone
        ("DateTime", "1899-12-31T16:30:00.000", "16:30:00"),
        ("DateTime", "2019-02-30T00:00:00", "2019-02-30T00:00:00"),
        ("Boolean", "1", True),
        ("Boolean", "0", False),
        ("Error", "#REF!", "#REF!"),
        ("String", "0012", "0012"),
        ("String", "", None),
    ],
)
def test_values_of_an_xml_spreadsheet(kind: str, written: str, expected: object) -> None:
    cell = f'<Cell><Data ss:Type="{kind}">{written}</Data></Cell>'
    tail = '<Cell><Data ss:Type="String">z</Data></Cell>'
    value = rows_of(workbook(worksheet(f"{HEADER}<Row>{cell}{tail}</Row>")))[1][0]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [("Percent", "4.9%"), ("0.00%", "4.9%"), ('0.00"%"', 0.049), ("0.00\\%", 0.049), ("Fixed", 0.049)],
)
@pytest.mark.parametrize("where", ["Cell", "Row", "Column", "Table", "Parent", "Default"])
def test_percents_of_an_xml_spreadsheet(number_format: str, expected: object, where: str) -> None:
    style = "Default" if where == "Default" else "p"
    styles = f'<Style ss:ID="{style}"><NumberFormat ss:Format="{escape(number_format, {chr(34): "&quot;"})}"/></Style>'
    styles += '<Style ss:ID="c" ss:Parent="p"><Font/></Style>'
    at = {
        each: f' ss:StyleID="{"c" if where == "Parent" else "p"}"' if each == where else ""
        for each in ("Cell", "Row", "Column", "Table")
    }
    if where == "Parent":
        at["Cell"] = ' ss:StyleID="c"'
    cell = f'<Cell{at["Cell"]}><Data ss:Type="Number">0.049</Data></Cell>'
    rows = f"<Column{at['Column']}/>{HEADER}<Row{at['Row']}>{cell}</Row>"
    body = worksheet(rows).replace("<Table>", f"<Table{at['Table']}>")
    assert rows_of(workbook(body, styles))[1] == [expected]


def test_a_workbook_of_1904_says_so() -> None:
    book = "<ExcelWorkbook xmlns='urn:schemas-microsoft-com:office:excel'><Date1904/></ExcelWorkbook>"
    (sheet,) = sheets_of(workbook(book + worksheet(HEADER)))
    assert sheet.epoch_1904


# Bounds


def deep(tag: str) -> str:
    return page(f"<{tag}>" * 100_000 + "合同编号")


FILLED = "<Cell><Data>x</Data></Cell></Row>"
HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "nested-tables": (deep("table><tr><td"), "已损坏"),
    "nested-elements-in-xml": (workbook(worksheet("<Row>" * 1000)), "已损坏"),
    "span-of-a-billion": (page("<table><tr><td colspan=1000000000>合同编号<td>x</table>"), "超过200列"),
    "spans-without-end": (page("<table><tr>" + "<td rowspan=1000000000 colspan=1000000000>" * 1000), "超过200列"),
    "merged-without-end": (page("<table>" + "<tr><td colspan=2>" * 200_000 + "合同编号"), "合并的单元格"),
    "million-cells": (page("<table>" + ("<tr>" + "<td>" * 200) * 60_000 + "合同编号"), "标记超过400万个"),
    "million-rows": (page("<table>" + "<tr>" * 1_100_000), "超过1000000行"),
    "million-columns": (page("<table><tr>" + "<td>" * 1_000_000), "超过200列"),
    "million-tables": (page("<table></table>" * 1_000_000), "已损坏"),
    "million-tags": (page("<b>" * 9_000_000), "标记超过400万个"),
    "text-without-end": (page("<table><tr><td>" + "x" * 40_000_000), "没有能读取的报表表头"),
    "tag-without-end": (page("<table><tr><td " + "a " * 10_000_000), "已损坏"),
    "quote-without-end": (page("<table><tr><td a='" + "<td>" * 3_000_000), "已损坏"),
    "comments-without-end": (page("<!--" * 3_000_000), "已损坏"),
    "reference-without-end": (page("<table><tr><td>&#" + "1" * 50_000 + ";"), "已损坏"),
    "marked-section": (page("<![x[合同编号]]>"), "已损坏"),
    "row-at-a-billion": (workbook(worksheet('<Row ss:Index="1000000000">' + FILLED)), "1000000行"),
    "cell-at-a-billion": (workbook(worksheet('<Row><Cell ss:Index="1000000000"' + FILLED[5:])), "超过200列"),
    "far-apart": (
        workbook("".join(worksheet(f'<Row ss:Index="999999"><Cell><Data>{n}</Data></Cell></Row>') for n in range(12))),
        "散布得过宽",
    ),
    "index-that-is-none": (workbook(worksheet(f'<Row ss:Index="{"9" * 5000}"/>')), "已损坏"),
    "index-that-goes-back": (workbook(worksheet('<Row ss:Index="3"/><Row ss:Index="2"/>')), "已损坏"),
    "negative-merge": (workbook(worksheet('<Row><Cell ss:MergeAcross="-5"/></Row>')), "已损坏"),
    "merged-without-end-in-xml": (
        workbook(worksheet('<Row><Cell ss:MergeAcross="1"/></Row>' * 100_001)),
        "合并的单元格",
    ),
    "entities": (
        workbook(worksheet(HEADER), before='<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>'),
        "实体声明",
    ),
    "external-entity": (
        workbook(worksheet(HEADER), before='<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/hostname">'),
        "实体声明",
    ),
    "million-sheets": (workbook(worksheet("") * 1000), "已损坏"),
    "million-styles": (
        workbook("", "".join(f'<Style ss:ID="{n}" ss:Parent="{n + 1}"/>' for n in range(100_001))),
        "已损坏",
    ),
    "truncated": (workbook(worksheet(HEADER))[:-20], "已损坏"),
}  # fmt: skip


def test_cells_and_texts_of_a_page_are_counted() -> None:
    content = page(f"<table>{html_rows(LOANS)}</table>")
    cells = sum(map(len, LOANS))
    assert len(sheets_of(content, limits=Limits(cells=cells + len(LOANS)))) == 1
    assert "散布得过宽" in refusal_of(content, limits=Limits(cells=cells - 1))
    assert "文字超过" in refusal_of(content, limits=Limits(unpacked_bytes=1000))
    assert "超过3行" in refusal_of(content, limits=Limits(rows=3))
    assert "超过20列" in refusal_of(content, limits=Limits(columns=20))


MEASURED = """
import sys, time
from pathlib import Path
from five_precisions.intake.package_sheets import known_headers
from five_precisions.intake.reading.files import UnreadableFileError, read_file
from tests.memory import peak_megabytes
headers = known_headers()
content = Path(sys.argv[1]).read_bytes()
begun = time.monotonic()
try:
    read_file("loans.xls", content, known_headers=headers)
    print("was read")
except UnreadableFileError as error:
    print(error)
print(time.monotonic() - begun)
print(peak_megabytes())
"""


@pytest.mark.integration
@pytest.mark.parametrize("case", HOSTILE)
def test_what_has_no_end_is_refused_quickly_and_in_little_memory(case: str, tmp_path: Path) -> None:
    content, words = HOSTILE[case]
    path = tmp_path / "loans.xls"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr[-2000:]
    message, seconds, megabytes = result.stdout.splitlines()
    assert words in message
    assert message.endswith("。")
    assert float(seconds) < 30
    assert float(megabytes) < 700
