"""The bulletin's tables as a workbook: numbers stay numbers, text stays text, sheets can be printed.

See docs/outputs.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from io import BytesIO

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from five_precisions.bulletin.document import Bulletin, Figure, Section, TableColumn
from five_precisions.bulletin.workbook import names_of_sheets, render_workbook
from five_precisions.display import Form, text_width
from tests.bulletin.sample import bank_appendix, category_table, county_appendix, league_appendix, score_table
from tests.bulletin.small_bulletin import BALANCES, SCORES, small_bulletin, table_with_text, wide_table


def opened(bulletin: Bulletin) -> Workbook:
    return openpyxl.load_workbook(BytesIO(render_workbook(bulletin)))


@pytest.fixture(scope="module")
def book() -> Workbook:
    return opened(small_bulletin(wide_table(12)))


def test_sheets_are_a_cover_notes_and_a_table_each(book: Workbook) -> None:
    assert book.sheetnames == [
        "封面",
        "说明",
        "表1 金融精准扶贫贷款余额",
        "表2 银行考核得分",
        "附表1 各银行业金融机构金融精准扶贫工作主要指标",
    ]


def test_a_table_is_laid_out_as_it_is_published(book: Workbook) -> None:
    sheet = book["表1 金融精准扶贫贷款余额"]

    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["表1 金融精准扶贫贷款余额", None, None, None],
        ["目录", "【演示数据】　单位：万元、%", None, None],
        ["县（市、区）", "金融精准扶贫贷款", None, "扶贫小额信贷"],
        [None, "余额", "比上年同期增速", "户数"],
        ["江城区", 53430.33, -3.2, 1234],
        ["阳东区", 1250.5, "—", "<5"],
        ["合计", 54680.83, 1.5, None],
        ["注：阳东区4月数据已重述。", None, None, None],
    ]
    assert {str(merged) for merged in sheet.merged_cells.ranges} == {"A1:D1", "B2:D2", "A3:A4", "B3:C3", "A8:D8"}


def test_figures_are_numbers_in_the_format_of_their_form(book: Workbook) -> None:
    sheet = book["表1 金融精准扶贫贷款余额"]

    assert [sheet[cell].data_type for cell in ("B5", "C5", "D5", "B6", "B7")] == ["n"] * 5
    assert [sheet[cell].number_format for cell in ("C5", "D5", "B6")] == ["#,##0.00", "#,##0", '#,##0.00"*"']
    # Beside a marked figure the others leave room for the mark.
    assert sheet["B5"].number_format == "#,##0.00_*"
    assert [sheet[cell].alignment.horizontal for cell in ("A5", "B5", "C6", "D6")] == [
        "left",
        "right",
        "right",
        "right",
    ]
    assert [sheet[cell].font.bold for cell in ("A7", "B7", "A5", "B5")] == [True, True, False, False]

    scores = book["表2 银行考核得分"]
    assert [scores[cell].value for cell in ("A4", "C4", "C5", "A6", "C6")] == [1, 99.08, 98.75, "—", "—"]
    assert [scores[cell].number_format for cell in ("A4", "C4")] == ["0", "0.00"]
    assert scores["A6"].alignment.horizontal == "center"


def test_sheets_are_frozen_below_their_heads_and_beside_their_names(book: Workbook) -> None:
    assert [sheet.freeze_panes for sheet in book] == [None, None, "B5", "C4", "B5"]


def test_sheets_print_on_one_page_width_with_repeated_heads(book: Workbook) -> None:
    balances, scores, wide = book.worksheets[2:]

    assert [sheet.print_area for sheet in (balances, scores)] == [
        "'表1 金融精准扶贫贷款余额'!$A$1:$D$8",
        "'表2 银行考核得分'!$A$1:$D$6",
    ]
    assert [sheet.print_title_rows for sheet in (balances, scores, wide)] == ["$3:$4", "$3:$3", "$3:$4"]
    assert [sheet.page_setup.orientation for sheet in (balances, scores, wide)] == ["portrait", "portrait", "landscape"]
    for sheet in book:
        assert sheet.print_area
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.page_setup.paperSize == 9
        assert sheet.oddFooter.center.text == "第 &P 页，共 &N 页"
        assert sheet.oddHeader.right.text == "演示数据"


def test_columns_fit_chinese_text(book: Workbook) -> None:
    wide = book.worksheets[4]

    assert text_width("第12农商银行a<5") == 15
    assert wide.column_dimensions["A"].width > text_width("第12农商银行")
    assert 9 < wide.column_dimensions["B"].width < 20


def test_the_cover_lists_the_sheets_with_links(book: Workbook) -> None:
    cover = book["封面"]
    values = [[cell.value for cell in row] for row in cover.iter_rows()]

    assert [row[0] for row in values[:6]] == [
        "演示市中心支行",
        "〔2019〕第2期",
        "关于2019年第二季度金融精准扶贫工作情况的通报",
        "统计表",
        "2019年7月15日",
        "【演示数据】机构、人员和数字均为虚构。",
    ]
    assert values[7:] == [
        ["序号", "目录", "单位"],
        [1, "说明", None],
        [2, "表1 金融精准扶贫贷款余额", "万元、%"],
        [3, "表2 银行考核得分", None],
        [4, "附表1 各银行业金融机构金融精准扶贫工作主要指标", "万元、户、%"],
    ]
    assert [cover.cell(row, 2).hyperlink.location for row in range(9, 13)] == [
        f"'{name}'!A1" for name in book.sheetnames[1:]
    ]
    assert book.worksheets[2]["A2"].hyperlink.location == "'封面'!A1"


def test_the_notes_tell_units_marks_and_footnotes(book: Workbook) -> None:
    notes = [cell.value for cell in book["说明"]["B"] if cell.value]

    assert any("万元" in note for note in notes)
    assert [mark for mark in ("“—”", "“*”", "“<5”") if not any(mark in note for note in notes)] == []
    plain = replace(small_bulletin(), sections=(Section("二、考核排名", (SCORES,)),))
    notes = [cell.value for cell in opened(plain)["说明"]["B"] if cell.value]
    assert [mark for mark in ("“—”", "“*”", "“<5”") if any(mark in note for note in notes)] == ["“—”"]
    assert notes[-2:] == [
        "计算批次2019-06-r1，输入摘要7d94813483834b71。",
        "未取得：碧澜开拓《金融精准扶贫贷款台账》。",
    ]


def test_the_file_says_what_it_is(book: Workbook) -> None:
    properties = book.properties

    assert properties.title == "关于2019年第二季度金融精准扶贫工作情况的通报"
    assert properties.subject == "2019年第二季度金融精准扶贫工作通报统计表"
    assert properties.creator == "演示市中心支行"
    assert "演示数据" in properties.keywords
    assert properties.created == datetime(2019, 7, 15)  # noqa: DTZ001  as the file has it
    assert book.custom_doc_props["Language"].value == "zh-CN"


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", '=CMD("x")', "{=1}"])
def test_text_never_runs_as_a_formula(hostile: str) -> None:
    book = opened(small_bulletin(table_with_text(hostile, "https://example.test", "00123")))
    sheet = book.worksheets[-1]
    cells = [sheet["A1"], sheet["A3"], sheet["A4"], book["封面"]["B12"]]

    assert [cell.data_type for cell in cells] == ["s"] * 4
    # openpyxl leaves the file's escape of a carriage return as it is.
    assert [cell.value.replace("_x000D_", "\r") for cell in cells] == [hostile] * 4
    assert [cell.quotePrefix for cell in cells] == [hostile != "{=1}"] * 4
    # Text that looks like an address or a number stays text, and a negative number stays a number.
    assert (sheet["A5"].value, sheet["A5"].hyperlink) == ("https://example.test", None)
    assert (sheet["A6"].value, sheet["A6"].data_type) == ("00123", "s")
    assert (sheet["B4"].value, sheet["B4"].data_type, sheet["B4"].quotePrefix) == (-5, "n", False)


def test_sheet_names_are_allowed_and_unique() -> None:
    titles = ["a[b]:c*d?e/f\\g'h", "封面", "甲" * 40, "甲" * 40, "𠮷" * 20, "\n\t", "Same", "SAME"]
    names = names_of_sheets([replace(SCORES, title=title) for title in titles])

    assert names == [
        "a b c d e f g h",
        "封面(2)",
        "甲" * 31,
        "甲" * 28 + "(2)",
        "𠮷" * 15,
        "scores",
        "Same",
        "SAME(2)",
    ]
    book = opened(small_bulletin(*(replace(SCORES, title=title) for title in titles if title.isprintable())))
    assert len(book.sheetnames) == len(set(book.sheetnames)) == 4 + 7


def test_the_same_bulletin_gives_the_same_bytes() -> None:
    first = render_workbook(small_bulletin(wide_table(3)))

    assert render_workbook(small_bulletin(wide_table(3))) == first
    assert render_workbook(replace(small_bulletin(wide_table(3)), issued_on=date(2019, 7, 16))) != first


def test_without_demo_data_nothing_is_marked() -> None:
    book = opened(small_bulletin(is_demo=False))
    texts = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]

    assert len(texts) > 30
    assert [text for text in texts if "演示数据" in text] == []
    assert {sheet.oddHeader.right.text for sheet in book} == {None}


def test_tables_of_one_column_or_without_rows_are_written() -> None:
    narrow = replace(SCORES, title="窄", columns=(TableColumn("机构"),), rows=(("甲",),), unit="家")
    empty = replace(BALANCES, title="空", rows=(), has_total=False)
    book = opened(small_bulletin(narrow, empty))

    assert book["窄"]["A4"].value == "甲"
    assert book["空"].print_area == "'空'!$A$1:$D$5"


def test_every_cell_of_a_large_bulletin_is_there() -> None:
    bulletin = small_bulletin(
        category_table(), score_table(40), bank_appendix(40), county_appendix(), league_appendix()
    )
    book = opened(bulletin)

    assert len(book.worksheets) == 2 + len(bulletin.tables) == 9
    for sheet, table in zip(book.worksheets[2:], bulletin.tables, strict=True):
        first = 5 if any(column.group for column in table.columns) else 4
        for row, cells in enumerate(table.rows, start=first):
            for column, cell in enumerate(cells, start=1):
                written = sheet.cell(row, column)
                if isinstance(cell, Figure) and cell.value is not None:
                    assert written.data_type == "n"
                    shown = f"{written.value:,.0f}" if cell.form is Form.COUNT else f"{written.value:,.2f}"
                    assert cell.form is Form.RANK or shown + ("*" if cell.restated else "") == str(cell)
                else:
                    assert written.value == (None if cell is None else str(cell))
