from __future__ import annotations

import hashlib
import io
import logging
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pypdf
import pytest
from PIL import Image  # matplotlib brings it, which the fonts' wheel needs

from five_precisions.bulletin.document import Bulletin, Paragraph, Section
from five_precisions.bulletin.pdf import MOST_BODY_PAGES, render_pages, render_pdf
from five_precisions.display import DEMO_MARK, Form
from tests.bulletin import sample

pytestmark = pytest.mark.slow

BANKS = (12, 40)


@pytest.fixture(scope="module")
def files() -> dict[int, bytes]:
    return {banks: render_pdf(sample.sample(banks)) for banks in BANKS}


def opened(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf), strict=True)


def squeezed(text: str) -> str:
    """Without blanks and line ends: where a line breaks is not the question."""
    return re.sub(r"\s", "", text)


def whole_text(pdf: bytes) -> str:
    """Of all pages, without their numbers."""
    return re.sub(r"—\d+—", "", squeezed("".join(page.extract_text() for page in opened(pdf).pages)))


def final_pdf(bulletin: Bulletin) -> bytes:
    """Without the watermark, whose letters stand between the others'."""
    return render_pdf(sample.final(bulletin))


def with_remark(remark: str) -> Bulletin:
    return sample.sample(remark=remark)


def test_all_text_can_be_selected() -> None:
    bulletin = sample.final(sample.sample())
    text = whole_text(render_pdf(bulletin))
    wanted = [bulletin.issuer, bulletin.number, bulletin.title, f"{bulletin.addressees}：", "2019年7月10日"]
    wanted += [section.title for section in bulletin.sections]
    wanted += [line for paragraph in bulletin.paragraphs for line in paragraph.text.split("\n")]
    wanted += [str(cell) for table in bulletin.tables for row in table.rows for cell in row if cell is not None]
    wanted += [table.title for table in bulletin.tables] + [chart.title for chart in bulletin.charts]
    wanted += bulletin.footnotes
    assert len(wanted) > 300
    assert [piece for piece in wanted if squeezed(piece) not in text] == []


def test_tables_and_charts_are_numbered_and_units_stand_above() -> None:
    text = whole_text(final_pdf(sample.sample()))
    for piece in (
        "表1金融",
        "表2 2019年",
        "表3督查",
        "图1各月",
        "图5各银行",
        "附表1各银行",
        "附表3全省",
        "单位：万元、户、个、%、分",
    ):
        assert squeezed(piece) in text


def test_charts_keep_their_text() -> None:
    assert "阳江市（本市）" in whole_text(final_pdf(sample.sample()))


@pytest.mark.parametrize("banks", BANKS)
def test_fonts_are_ours_embedded_and_subset(files: dict[int, bytes], banks: int) -> None:
    names = set()
    for page in opened(files[banks]).pages:
        fonts: dict[str, Any] = dict(page["/Resources"].get("/Font", {}))
        for reference in fonts.values():
            descendant = reference.get_object()["/DescendantFonts"][0].get_object()
            descriptor = descendant["/FontDescriptor"].get_object()
            assert "/FontFile3" in descriptor or "/FontFile2" in descriptor
            names.add(descendant["/BaseFont"])
    assert names
    assert all(re.fullmatch(r"/[A-Z]{6}\+Noto(Sans|Serif)CJKsc-Regular.*", name) for name in names)


def test_it_is_four_to_eight_pages(files: dict[int, bytes]) -> None:
    assert 4 <= len(opened(files[12]).pages) <= 8
    assert len(opened(files[40]).pages) <= 12


def body_pages(pdf: bytes) -> int:
    """Pages before the first appendix, as the bookmarks have it."""
    reader = opened(pdf)
    entries = [entry for entry in reader.outline if not isinstance(entry, list)]
    [first] = [entry for entry in entries if str(entry.title).startswith("附表1")]
    page = reader.get_destination_page_number(first)
    assert page is not None
    return page


def test_the_body_takes_no_more_than_six_pages_and_gives_way_in_size(files: dict[int, bytes]) -> None:
    assert 2 <= body_pages(files[12]) <= MOST_BODY_PAGES == 6
    longer = final_pdf(with_remark("\n".join(["各单位要压实责任，逐户核实。"] * 90)))
    assert body_pages(longer) == 6
    assert size_of_body(final_pdf(sample.sample())) > size_of_body(longer) >= 12


def size_of_body(pdf: bytes) -> float:
    """The largest size of text on the second page, where neither head nor title stands; tables are smaller."""
    found: list[float] = []

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            found.append(round(size * abs(cm[0] or 1) * abs(tm[0] or 1), 1))

    opened(pdf).pages[1].extract_text(visitor_text=visit)
    return max(found)


def test_a_narrow_chart_stands_beside_its_table() -> None:
    bulletin = sample.final(sample.sample())
    beside = replace(bulletin.charts[0], title="旁图", is_narrow=True)
    table = replace(sample.county_appendix(), title="左表")
    alone = replace(bulletin, sections=(Section("一、总体情况", (table, beside)),), appendices=())
    below = replace(alone, sections=(Section("一、总体情况", (table, replace(beside, is_narrow=False))),))

    def lines(pdf: bytes) -> dict[str, float]:
        found = {}

        def visit(text: str, cm: list[float], tm: list[float], *_: object) -> None:
            for words in ("左表", "旁图", "阳春市"):
                if words in text:
                    found.setdefault(words, tm[4] * cm[1] + tm[5] * cm[3] + cm[5])

        opened(pdf).pages[0].extract_text(visitor_text=visit)
        return found

    together, apart = lines(render_pdf(alone)), lines(render_pdf(below))
    assert together.keys() == apart.keys() == {"左表", "旁图", "阳春市"}
    assert together["左表"] - together["旁图"] < 150 < apart["左表"] - apart["旁图"]


def test_it_is_small_enough_for_a_mail(files: dict[int, bytes]) -> None:
    assert len(files[12]) < 400_000
    assert len(files[40]) < 600_000


def test_it_says_what_it_is(files: dict[int, bytes]) -> None:
    reader = opened(files[12])
    about = reader.metadata
    assert about is not None
    assert about.title == "关于2019年第二季度金融精准扶贫工作情况的通报"
    assert about.author == "演示市中心支行"
    assert "2019-Q2" in str(about.get("/Keywords"))
    root = reader.root_object
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"].value is True
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "pdfuaid:part" in xmp
    assert "pdfaid:part" in xmp


def test_headings_are_bookmarks(files: dict[int, bytes]) -> None:
    top: list[str] = []
    below: list[str] = []
    for entry in opened(files[12]).outline:
        if isinstance(entry, list):
            below += [str(child.title) for child in entry]
        else:
            top.append(str(entry.title))
    assert top[:5] == ["一、总体情况", "二、考核排名", "三、五个精准进展", "四、存在问题", "五、下一步要求"]
    assert [title.split("\u3000")[0] for title in top[5:]] == ["附表1", "附表2", "附表3"]
    assert below[0] == "（一）精准宣传"
    assert len(below) == 5


def test_charts_are_described_for_who_cannot_see_them(files: dict[int, bytes]) -> None:
    reader = opened(files[12])
    descriptions = []
    for number in range(1, len(reader.xref[0]) + 1):
        entry = reader.get_object(number)
        if isinstance(entry, dict) and "/Alt" in entry:
            descriptions.append(entry["/Alt"])
    assert set(descriptions) >= {chart.description for chart in sample.sample().charts}


def test_the_same_bulletin_gives_the_same_bytes(files: dict[int, bytes]) -> None:
    assert render_pdf(sample.sample(12)) == files[12]


@pytest.mark.integration
def test_the_same_bytes_come_from_another_process(files: dict[int, bytes]) -> None:
    script = (
        "import hashlib; from tests.bulletin import sample; from five_precisions.bulletin.pdf import render_pdf;"
        "print(hashlib.sha256(render_pdf(sample.sample(12))).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(files[12]).hexdigest()


def test_typst_has_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        render_pdf(sample.sample())
    assert caplog.messages == []


def everywhere(bulletin: Bulletin, text: str) -> Bulletin:
    """The bulletin with a text in every place that takes one."""
    table = replace(
        bulletin.appendices[1],
        title=text,
        unit=text,
        note=text,
        columns=tuple(replace(column, header=text, group=text) for column in bulletin.appendices[1].columns[:2]),
        rows=tuple((text, text) for _ in range(2)),
    )
    return replace(
        bulletin,
        issuer=text,
        number=text,
        title=text,
        addressees=text,
        introduction=Paragraph(text),
        sections=(Section(text, (Paragraph(text), replace(bulletin.charts[0], title=text, description=text))),),
        appendices=(table,),
        footnotes=(text,),
        is_demo=False,
    )


def test_markup_in_data_comes_out_as_it_is() -> None:
    pdf = render_pdf(everywhere(sample.sample(), sample.MARKUP))
    text = whole_text(pdf)
    # Head and seal, number, title, addressees, paragraphs, section, captions, the table's cells, list, footnote.
    assert text.count(squeezed(sample.MARKUP)) >= 14
    assert opened(pdf).metadata.title == sample.MARKUP  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["= 一级", "- 项", "+ 项", "/ 词: 义", "1. 项", "#pagebreak()", "// 注", "https://a.cn/#x", "\\u{41}"]
)
def test_a_paragraph_that_begins_like_markup_is_a_paragraph(text: str) -> None:
    pdf = final_pdf(with_remark(text))
    assert squeezed(text) in whole_text(pdf)
    assert len(opened(pdf).outline) == len(opened(final_pdf(with_remark("平"))).outline)


def test_a_line_of_a_remark_is_a_paragraph_and_empty_ones_are_left_out() -> None:
    lines = squeezed("一段。\n\n \n二段。")
    assert lines in whole_text(final_pdf(with_remark("一段。\n\n \n二段。")))


def test_a_remark_of_two_thousand_characters_runs_on() -> None:
    remark = "各单位要压实责任，逐户核实。" * 142
    assert remark in whole_text(final_pdf(with_remark(remark)))


def test_what_the_fonts_lack_is_stood_in_for_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        pdf = final_pdf(with_remark("很好😀！é"))
    text = whole_text(pdf)
    assert "很好〓！é" in text
    assert "〓：字库中没有的字。" in text
    assert "U+1F600" in caplog.text


def test_characters_nobody_sees_are_left_out() -> None:
    assert "整改到位" in whole_text(final_pdf(with_remark("整\u200b改\x07到\ufeff位")))


@pytest.mark.parametrize("lines", range(0, 40, 3))
def test_footnotes_never_stand_on_a_page_by_themselves(lines: int) -> None:
    bulletin = sample.final(sample.sample())
    *others, last = bulletin.sections
    more = Section(last.title, (*last.blocks, *[Paragraph("落实好以上各项工作要求。")] * lines))
    pages = [
        squeezed(page.extract_text()) for page in opened(render_pdf(replace(bulletin, sections=(*others, more)))).pages
    ]
    [page] = [page for page in pages if squeezed(bulletin.footnotes[0])[:12] in page]
    assert squeezed(bulletin.issuer) in page


def test_the_head_is_repeated_where_a_table_goes_on(files: dict[int, bytes]) -> None:
    pages = [squeezed(page.extract_text()) for page in opened(files[40]).pages]
    holding = [page for page in pages if "贷款余额" in page and "走访覆" in page and "等次" in page]
    assert len(holding) >= 2
    assert sum("附表1各银行金融精准扶贫主要指标单位" in page for page in holding) == 1


def test_small_tables_stay_on_one_page(files: dict[int, bytes]) -> None:
    for banks in BANKS:
        pages = [squeezed(page.extract_text()) for page in opened(files[banks]).pages]
        table = next(page for page in pages if "表1金融精准扶贫贷款分类情况" in page)
        assert "产业精准扶贫贷款" in table
        assert "注：带“*”" in table


def test_a_wide_appendix_lies_across_the_page(files: dict[int, bytes]) -> None:
    for page in opened(files[12]).pages:
        wide = page.mediabox.width > page.mediabox.height
        assert wide == ("附表1各银行金融精准扶贫主要指标单位" in squeezed(page.extract_text()))


def test_the_watermark_is_on_every_page_of_a_demo_and_on_none_else(files: dict[int, bytes]) -> None:
    """It comes out letter by letter, as it is drawn across the lines; nothing else differs."""
    demo = [Counter(squeezed(page.extract_text())) for page in opened(files[12]).pages]
    final = [Counter(squeezed(page.extract_text())) for page in opened(final_pdf(sample.sample())).pages]
    assert demo
    assert [marked - plain for marked, plain in zip(demo, final, strict=True)] == [Counter(DEMO_MARK)] * len(demo)


@pytest.mark.parametrize("banks", BANKS)
def test_no_text_leaves_the_page_margins(banks: int) -> None:
    pdf = final_pdf(sample.sample(banks))
    outside = []
    seen = 0
    for number, page in enumerate(opened(pdf).pages, start=1):
        width, height = float(page.mediabox.width), float(page.mediabox.height)

        def visit(
            text: str,
            cm: list[float],
            tm: list[float],
            *_: object,
            w: float = width,
            h: float = height,
            n: int = number,
        ) -> None:
            nonlocal seen
            if not text.strip():
                return
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            seen += 1
            if not (60 < x < w - 60 and 30 < y < h - 60):
                outside.append((n, text, round(x), round(y)))

        page.extract_text(visitor_text=visit)
    assert seen > 300
    assert outside == []


@pytest.mark.parametrize("banks", BANKS)
def test_nothing_is_drawn_in_the_margins(banks: int) -> None:
    """On the picture of each page, its edges are as white as paper: 18 mm, and 10 below the page number."""
    pages = render_pages(sample.final(sample.sample(banks)), ppi=50)
    assert len(pages) == len(opened(final_pdf(sample.sample(banks))).pages)
    for picture in pages:
        page = Image.open(io.BytesIO(picture)).convert("L")
        width, height = page.size
        band, foot = round(18 / 25.4 * 50), round(10 / 25.4 * 50)
        edges = [
            (0, 0, width, band),
            (0, 0, band, height),
            (width - band, 0, width, height),
            (0, height - foot, width, height),
        ]
        assert [page.crop(edge).getextrema()[0] for edge in edges] == [255] * 4
        assert page.getextrema()[0] < 100  # something is drawn at all


def test_missing_values_and_marks_stand_in_tables() -> None:
    bulletin = sample.sample()
    missing = [cell for table in bulletin.tables for row in table.rows for cell in row if str(cell) == "—"]
    marked = [str(cell) for table in bulletin.tables for row in table.rows for cell in row if str(cell).endswith("*")]
    assert missing
    assert marked
    text = whole_text(final_pdf(bulletin))
    assert text.count("—") >= len(missing)
    assert all(figure in text for figure in marked)


def test_a_bulletin_with_little_in_it_is_set() -> None:
    bulletin = replace(sample.sample(), sections=(Section("一、总体情况", ()),), appendices=(), footnotes=())
    text = whole_text(final_pdf(bulletin))
    assert "一、总体情况" in text
    assert "附表" not in text
    assert len(opened(final_pdf(bulletin)).pages) == 1


def test_a_table_without_rows_and_one_of_texts_only_are_set() -> None:
    empty = replace(sample.county_appendix(), rows=())
    texts = replace(sample.alert_table(), unit="", note="")
    bulletin = replace(sample.sample(), appendices=(empty, texts))
    assert any(column.form is Form.TEXT for column in texts.columns)
    assert "附表2督查发现的主要问题" in whole_text(final_pdf(bulletin))
