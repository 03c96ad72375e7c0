"""The findings workbook: every cell where it was delivered, nothing sensitive in it, nothing that runs.

See docs/intake.md.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

import hypothesis.strategies as st
import openpyxl
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from pyarrow import parquet

from five_precisions.intake.findings import Finding
from five_precisions.intake.package_sheets import known_headers
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.intake.reading.files import Sheet, read_file
from five_precisions.receipts import findings_workbook
from five_precisions.receipts.findings_workbook import (
    LIST,
    LIST_HEADERS,
    MaskedSheet,
    mask_sheets,
    names_of_sheets,
    render_findings_workbook,
)
from five_precisions.reports.cells import Cell
from five_precisions.reports.level import Level
from tests.fixtures.workbooks import ods, xls
from tests.packages import ACCOUNT, PHONE, RESIDENT_ID, csv_bytes, sound, table, workbook

pytestmark = pytest.mark.slow

TITLE = "金融精准扶贫贷款台账"
AT = datetime.combine(date(2019, 7, 3), time(10))
HALF_PAST_NINE = datetime.combine(date(2019, 6, 30), time(9, 30))
SECRETS = (RESIDENT_ID, RESIDENT_ID[:17], PHONE, ACCOUNT, "陈大文", "大文")


def finding(**changes: Any) -> Finding:
    own: dict[str, Any] = {
        "report": "loans",
        "rule": "L03",
        "level": Level.CRITICAL,
        "message": "贷款余额大于发放金额，请核对两项金额。",
        "file": "loans.xlsx",
        "sheet": TITLE,
        "row_number": 2,
        "column_number": 12,
        "header": "贷款余额",
        "key": "HT-001",
        "value": "60000",
        "expected": "不大于发放金额",
    }
    return Finding(**{**own, **changes})


def made(findings: Iterable[Finding], sheets: Iterable[Sheet] = (), **options: Any) -> bytes:
    content = render_findings_workbook(findings, mask_sheets(sheets), number="2019-06-B01-1", created_at=AT, **options)
    assert content is not None
    return content


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def delivered(name: str, content: bytes) -> list[Sheet]:
    return read_file(name, content, known_headers=known_headers())


def values(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def shown(*rows: list[Cell], name: str | None = TITLE, file: str = "loans.xlsx") -> MaskedSheet:
    (sheet,) = mask_sheets([Sheet(file, name, list(rows))])
    return sheet


LOANS = table("loans", [sound("loans")])


# The list


def test_list_has_every_finding_in_the_order_of_the_ledger() -> None:
    found = [
        finding(rule="T01", value=None, row_number=9),
        finding(
            rule="L10",
            level=Level.WARNING,
            message="超过5万元。",
            explanation="县里批准",
            report="grid",
            row_number=None,
        ),
        finding(rule="F07", level=Level.NOTICE, report=None, file=None, row_number=None, header=None, key=None),
    ]
    content = made(found)
    book = opened(content)
    assert book.sheetnames == [LIST]
    head, *rows = values(book[LIST])
    assert tuple(head) == LIST_HEADERS
    assert [row[:7] for row in rows] == [
        [1, TITLE, "T01", "错误", 9, "贷款余额", "L9"],
        [2, "网格化管理责任表", "L10", "警告\n（已说明）", None, "贷款余额", None],
        [3, "报送包", "F07", "提示", None, None, None],
    ]
    assert rows[0][7:] == ["HT-001", None, "不大于发放金额", "贷款余额大于发放金额，请核对两项金额。"]
    assert rows[1][10] == "超过5万元。\n已说明：县里批准"
    sheet = book[LIST]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:K4", "$1:$1")
    colours = [sheet.cell(row, 4).fill.start_color.rgb for row in (2, 3, 4)]
    assert len(set(colours)) == 3
    assert sheet["D2"].fill.start_color.rgb == "FFFFC7CE"


def test_no_findings_no_workbook() -> None:
    assert render_findings_workbook([], number="x", created_at=AT) is None


def test_same_arguments_give_the_same_bytes() -> None:
    sheets = delivered("loans.csv", csv_bytes(LOANS))
    assert made([finding()], sheets) == made([finding()], sheets)


def test_list_goes_on_beyond_the_rows_of_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_workbook, "_LIST_ROWS", 20)
    monkeypatch.setattr(findings_workbook, "_MOST_LINKS", 5)
    book = opened(made([finding(row_number=number) for number in range(2, 47)], [Sheet("loans.xlsx", TITLE, [["x"]])]))
    assert book.sheetnames == [LIST, f"{LIST}(2)", f"{LIST}(3)", TITLE]
    numbers = [row[0] for name in book.sheetnames[:3] for row in values(book[name])[1:]]
    assert numbers == list(range(1, 46))
    assert [bool(book[LIST].cell(row, 7).hyperlink) for row in (2, 6, 7)] == [True, True, False]
    assert [len(values(opened(made([finding()] * 9, listed=4))[LIST]))] == [5]


# The delivered sheets


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "csv", "parquet"])
def test_cells_of_every_format_stand_where_they_were(kind: str) -> None:
    rows: list[list[str]] = table("position", [sound("position"), sound("position", county_code="441721")])
    content, name = {
        "xlsx": lambda: (workbook(position=rows), "position"),
        "xls": lambda: (xls({"position": rows}), "position"),
        "ods": lambda: (ods({"position": rows}), "position"),
        "csv": lambda: (csv_bytes(rows), "position.csv"),
        "parquet": lambda: (_parquet(rows), "position.parquet"),
    }[kind]()
    sheets = delivered(f"position.{kind}", content)
    assert len(sheets) == 1
    where = finding(
        report="position",
        file=f"position.{kind}",
        sheet=sheets[0].name,
        row_number=3,
        column_number=1,
        header="县区代码",
    )
    book = opened(made([where], sheets))
    assert book.sheetnames == [LIST, name]
    assert [[str(cell) for cell in row] for row in values(book[name])] == rows
    assert book[LIST]["G2"].hyperlink.location == f"'{name}'!A3"
    cell = book[name]["A3"]
    assert cell.fill.start_color.rgb == "FFFFC7CE"
    assert cell.comment.text == "错误 L03：贷款余额大于发放金额，请核对两项金额。"
    assert [each.comment for row in book[name].iter_rows() for each in row if each.comment] == [cell.comment]


def _parquet(rows: list[list[str]]) -> bytes:
    content = io.BytesIO()
    parquet.write_table(pa.table({header: column for header, *column in zip(*rows, strict=True)}), content)
    return content.getvalue()


def test_several_findings_of_a_cell_make_one_comment_and_the_worst_colours_it() -> None:
    found = [
        finding(rule="L10", level=Level.WARNING, message="甲"),
        finding(rule="F05", level=Level.NOTICE, message="乙"),
        finding(message="丙"),
        finding(rule="L11", level=Level.WARNING, message="丁", explanation="已核实"),
        *[finding(message=f"第{number}") for number in range(3)],
    ]
    book = opened(made(found, [Sheet("loans.xlsx", TITLE, [list(row) for row in LOANS])]))
    cell = book[TITLE]["L2"]
    assert cell.fill.start_color.rgb == "FFFFC7CE"
    assert cell.comment.text == (
        "警告 L10：甲\n提示 F05：乙\n错误 L03：丙\n警告（已说明） L11：丁\n已说明：已核实\n错误 L03：第0\n"
        "另有2项，见“问题清单”。"
    )


def test_cell_that_was_not_delivered_is_marked_all_the_same() -> None:
    book = opened(made([finding(row_number=7, column_number=30)], [Sheet("loans.xlsx", TITLE, [list(LOANS[0])])]))
    assert book[TITLE]["AD7"].comment is not None
    assert book[TITLE]["AD7"].value is None


def test_values_of_every_kind() -> None:
    row: list[Cell] = [
        -5.5, True, date(2019, 6, 30), HALF_PAST_NINE, date(1899, 12, 31), math.nan, math.inf,
        4.354166666666667, 0, "a\x00b\ud800c\uffff", "长" * 40_000, datetime(2019, 6, 30, tzinfo=UTC), None,
        12_345_678_901, -1.5e10, "_x0041_", "2019-06-30",
    ]  # fmt: skip
    columns = [column for column in LOANS[0] if column not in ("借款人名称", "证件号码", "收款账户")][: len(row)]
    sheet = opened(made([finding()], [Sheet("loans.xlsx", TITLE, [list(columns), row])]))[TITLE]
    (written,) = values(sheet)[1:]
    assert written[:5] == [-5.5, True, HALF_PAST_NINE.replace(hour=0, minute=0), HALF_PAST_NINE, "1899-12-31"]
    assert written[5:9] == [None, "Infinity", 4.3541666667, 0]
    assert written[9] == "a\ufffdb\ufffdc\ufffd"
    assert written[10] == "长" * 32_767
    assert written[11:13] == ["2019-06-30T00:00:00+00:00", None]
    assert written[13:15] == ["1**********", "-1**********"]
    assert written[16] == "2019-06-30"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_could_run_does_not(begin: str) -> None:
    text = f'{begin}HYPERLINK("http://x",1)'
    loan = {**sound("loans"), "project_no": text, "contract_no": text, "borrower_name": text}
    found = [
        finding(key=text, value=text, expected=text, header=text, message=text),
        finding(key=text, explanation=text, level=Level.WARNING, column_number=20),
    ]
    sheet = [list(row) for row in table("loans", [loan])]
    content = made(found, [Sheet("loans.xlsx", TITLE, sheet), Sheet(f"{text}.csv", None, sheet)])
    book = opened(content)
    read = begin.replace("\r", "_x000D_")  # as the file has it
    running = [cell for page in book for row in page.iter_rows() for cell in row if str(cell.value).startswith(read)]
    assert len(running) > 8
    assert {cell.data_type for cell in running} == {"s"}
    assert all(cell.quotePrefix for cell in running)
    assert b"<f>" not in b"".join(parts(content).values())


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_sheet_of_many_rows_is_not_repeated() -> None:
    large = [list(LOANS[0]), *[["HT"]] * 20_000]
    empty_end: list[list[Cell]] = [list(LOANS[0]), *[["HT"]] * 19_999, *[[None, ""]] * 500]
    sheets = [Sheet("loans.xlsx", TITLE, large), Sheet("grid.xlsx", "grid", empty_end)]
    book = opened(made([finding(row_number=20_001)], sheets))
    assert book.sheetnames == [LIST, "grid"]
    assert book["grid"].max_row == 20_000
    assert (book[LIST]["G2"].value, book[LIST]["G2"].hyperlink) == ("L20001", None)


def test_package_of_the_largest_size_is_repeated_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_workbook, "_MOST_CELLS", 5)
    sheets = [Sheet("a.xlsx", name, [["x", "y"]] * 2) for name in "abc"]
    assert [sheet.name for sheet in mask_sheets(sheets)] == ["a"]


# Names of sheets


def test_names_of_sheets_are_allowed_and_each_there_once() -> None:
    named = [
        ("a.xlsx", "Sheet1"),
        ("b.xlsx", "sheet1"),
        ("c/d.xlsx", "History"),
        ("loans.csv", None),
        ("x.xlsx", LIST),
        ("x.xlsx", "'[]:*?/\\'"),
        ("x.xlsx", "𠮷" * 40),
        ("y.xlsx", "𠮷" * 40),
        ("x.xlsx", f"名单{RESIDENT_ID}"),
        (f"{PHONE}.csv", None),
    ]
    names = names_of_sheets([MaskedSheet(file, name, [], 1) for file, name in named])
    assert names[:6] == ["Sheet1", "sheet1(b)", "History(d)", "loans.csv", f"{LIST}(x)", "＊"]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(0 < len(name.encode("utf-16-le")) // 2 <= 31 for name in names)
    assert not any(re.search(r"\d{11}|[\[\]:*?/\\']", name) for name in names)
    assert names[8] == "名单4417＊＊＊＊＊＊＊＊＊＊0017"


# Sensitive content


def test_sensitive_columns_are_masked_and_unknown_ones_emptied() -> None:
    head = [*LOANS[0], "备注", None]
    row = [*LOANS[1], "陈大文的表弟", "大文"]
    sheet = shown([f"{TITLE}　填表电话 0662-3211234、{PHONE}"], ["单位：元"], head, row)
    assert sheet.header_row == 3
    assert sheet.rows[0] == [f"{TITLE}　填表电话 066****1234、1**********"]
    by_header = dict(zip(head, sheet.rows[3], strict=True))
    assert by_header["借款人名称"] == "陈*"
    assert by_header["证件号码"] == "4417**********0017"
    assert by_header["收款账户"] == "****0123"
    assert by_header["合同编号"] == "HT-001"
    assert by_header["备注"] is None
    assert by_header[None] is None
    assert sheet.rows[2] == head


def test_cover_keeps_the_submitter_and_masks_the_phone() -> None:
    sheet = shown([*COVER_HEADERS], ["loans", 1, 50000, "否", "李某", "0662-1234567"], name="报送说明")
    assert sheet.rows[1] == ["loans", 1, 50000, "否", "李某", "066****4567"]


def test_column_of_a_misspelt_header_is_emptied_and_a_doubled_one_masked_twice() -> None:
    head: list[Cell] = ["借款人姓名" if header == "借款人名称" else header for header in LOANS[0]]
    sheet = shown([*head, "证件号码"], [*LOANS[1], RESIDENT_ID])
    assert sheet.rows[1][2] is None
    assert sheet.rows[1][3] == sheet.rows[1][-1] == "4417**********0017"


def test_row_above_the_headers_that_is_no_title_is_masked_like_data() -> None:
    sheet = shown([*LOANS[1]], [*LOANS[0]], [*LOANS[1]])
    assert sheet.rows[0] == sheet.rows[2]
    assert "陈*" in sheet.rows[0]


def test_sheet_of_no_form_keeps_prose_and_words_of_forms_only() -> None:
    sheet = shown(
        ["填表说明"],
        [f"一、请按月报送，有事请电 {PHONE}。"],
        ["姓名", "电话", "贷款余额"],
        ["陈大文", "3211234", 50000],
        ["陈大文"],
        [None, "合计"],
        name="填表说明",
    )
    assert sheet.header_row == 0
    assert sheet.is_emptied
    assert sheet.rows == [
        ["填表说明"],
        ["一、请按月报送，有事请电 1**********。"],
        [None, None, "贷款余额"],
        [None, None, None],
        [None],
        [None, "合计"],
    ]
    book = opened(made([finding()], [Sheet("loans.xlsx", "附表", [["陈大文", "x"]])]))
    assert "这里只重复标题和说明文字" in book["附表"]["A1"].comment.text


def test_copy_of_a_report_under_another_name_is_masked_as_that_report() -> None:
    sheet = shown(*[list(row) for row in LOANS], name="Sheet3", file="别的.xlsx")
    assert sheet.rows[1][2:4] == ["陈*", "4417**********0017"]


def test_data_row_that_holds_the_word_of_a_header_is_no_header() -> None:
    row: list[Cell] = [*LOANS[1]]
    row[19] = "户编号"
    sheet = shown(row, [*LOANS[1]])
    assert sheet.header_row == 0
    assert not any(secret in str(sheet.rows) for secret in SECRETS)


def test_nothing_sensitive_in_any_part_of_the_file() -> None:
    loan = {**sound("loans"), "project_no": RESIDENT_ID, "purpose": f"买车{PHONE}", "security": f"=“{ACCOUNT}”"}
    rows: list[list[Cell]] = [[f"{TITLE}（{PHONE}）"], *[list(row) for row in table("loans", [loan])]]
    rows[2][10:12] = [float(RESIDENT_ID[:17]), int(RESIDENT_ID)]
    rows[2].append(f"陈大文{PHONE}")
    sheets = [
        Sheet(f"loans-{PHONE}.xlsx", f"台账{RESIDENT_ID}", rows),
        Sheet(f"{ACCOUNT}.csv", None, [["陈大文", PHONE]]),
        Sheet("grid.xlsx", "grid", [list(row) for row in table("grid", [sound("grid")])]),
        Sheet("h.xlsx", "建档立卡户名册", [list(row) for row in table("households", [sound("households")])]),
        Sheet("cover.csv", None, [list(COVER_HEADERS), ["loans", "1", "", "否", "李某", PHONE]]),
    ]
    found = [
        finding(file=sheet.file, sheet=sheet.name, row_number=row, column_number=column)
        for sheet in sheets
        for row in (1, 2, 3)
        for column in range(1, 23)
    ]
    content = made(found, sheets)
    assert len(opened(content).sheetnames) == 6
    everything = parts(content)
    assert any("comments" in name for name in everything)
    for name, part in everything.items():
        text = part.decode("utf-8", "replace")
        for secret in SECRETS:
            assert secret not in text, name
        assert not re.search(r">[^<]*\d{11}[^<]*<", text), name


CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.text(alphabet="0123456789Xx０９ -年。", max_size=30),
)


@settings(max_examples=40)
@given(
    st.lists(st.lists(CELLS, max_size=5), max_size=5),
    st.text(max_size=40),
    st.one_of(st.none(), st.text(max_size=40)),
    st.booleans(),
)
def test_whatever_is_delivered_makes_a_workbook_that_opens(
    rows: list[list[Cell]], file: str, name: str | None, has_head: bool
) -> None:
    head: list[list[Cell]] = [["合同编号", "借款人名称", "证件号码", "年利率", "逾期天数"]] if has_head else []
    book = opened(made([finding(file=file, sheet=name, message=file)], [Sheet(file, name, head + rows)]))
    assert len(book.sheetnames) == 2
    texts = [str(value) for row in values(book.worksheets[1]) for value in row if isinstance(value, str | int | float)]
    assert not any(re.search(r"\d{11}", text) for text in texts if "e" not in text)


def test_many_findings() -> None:
    sheet: list[list[Cell]] = [list(LOANS[0]), *[list(LOANS[1]) for _ in range(2_000)]]
    found = (finding(row_number=number % 2_000 + 2, message=f"第{number}") for number in range(5_000))
    book = opened(made(found, [Sheet("loans.xlsx", TITLE, sheet)]))
    assert book[LIST].max_row == 5_001
    comments = [cell.comment.text for (cell,) in book[TITLE].iter_rows(min_col=12, max_col=12) if cell.comment]
    assert len(comments) == 2_000
    assert comments[0] == "错误 L03：第0\n错误 L03：第2000\n错误 L03：第4000"
