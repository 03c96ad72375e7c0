"""The bulletin as a mail: the recipient's own standing first, then the text; small, legible as plain text.

See docs/outputs.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from apprise.common import NotifyFormat
from apprise.conversion import convert_between

from five_precisions.bulletin.document import Bulletin, Paragraph, Section, Table, TableColumn
from five_precisions.bulletin.letter import LARGEST, own_summary, render_letter
from five_precisions.bulletin.mail_tables import MailTable, mail_table
from five_precisions.errors import RefusedError
from five_precisions.period import Period
from tests.bulletin.sample import alert_table, bank_appendix, category_table, score_table
from tests.bulletin.small_bulletin import small_bulletin, wide_table
from tests.bulletin.small_results import BANK, CENTRE, OFFICE, reported, small_results

MARCH = Period(2019, 3)
ITEMS = {
    "completion": (40, "0.95", "按序时进度完成95.00%，全年目标60户"),
    "visits": (10, "1", "走访覆盖率100.00%"),
    "quality": (10, "0.5", "扶贫小额信贷逾期率3.00%"),
}
QUALITY_STEP = (
    "资产质量（得5.00分，满分10分）：扶贫小额信贷逾期率3.00%。请加强贷后管理，逐笔落实逾期扶贫小额信贷的清收措施。"
)


def text_of(html: str) -> str:
    """The text part that Apprise makes of it."""
    return convert_between(NotifyFormat.HTML, NotifyFormat.TEXT, html)


def test_a_bank_opens_with_its_own_standing() -> None:
    results = small_results(
        before=(5, "80.1"),
        earlier={MARCH: (1, "90")},
        items=ITEMS,
        bank_figures={"microcredit_ytd_households": 30, "microcredit_completion": 95},
    )
    summary = own_summary(small_bulletin(), results, BANK)

    assert summary.title == "岭海通商的考核情况"
    assert summary.facts == (
        ("名次", "第2名（共3家参评），比上月上升3位，比上季末下降1位"),
        ("得分", "88.45分，比上月提高8.35分，比上季末下降1.55分"),
        ("等级", "良好"),
    )
    assert summary.paragraphs == (
        (
            "本年已发放扶贫小额信贷30户，全年目标60户，按序时进度完成95.00%。距全年目标还差30户，今后6个月每月至少需发放5户。"
            "按目前进度，预计全年发放60户，正好达到全年目标。"
        ),
        "做得好的：完成率和走访，得分率均在90%以上。",
    )
    assert summary.steps == (QUALITY_STEP,)


def test_the_quarter_before_is_told_where_it_is_known_only() -> None:
    unranked = small_results(before=(2, "88.45"), earlier={MARCH: "暂不排名：《贷款与再贷款月报》未报送"})
    unknown = small_results(before=(2, "88.45"))

    for results in (unranked, unknown):
        assert own_summary(small_bulletin(), results, BANK).facts[:2] == (
            ("名次", "第2名（共3家参评），位次与上月相同"),
            ("得分", "88.45分，与上月持平"),
        )


def test_a_bank_without_weak_indicators_is_told_to_keep_on() -> None:
    results = small_results(items={"visits": (10, "0.9", "走访覆盖率90.00%")})
    summary = own_summary(small_bulletin(), results, BANK)

    assert summary.paragraphs[1] == "各项考核指标得分率均在90%以上，请继续保持。"
    assert summary.steps == ()


def test_an_unranked_bank_reads_why_and_what_to_deliver() -> None:
    results = small_results(
        now="暂不排名：《金融精准扶贫贷款台账》未报送",
        reporting=(reported("loans", "missing", on_time=False, first_pass=False, who=BANK),),
    )
    summary = own_summary(small_bulletin(), results, BANK)

    assert summary.facts == ()
    assert summary.paragraphs == (
        "本月暂不排名：《金融精准扶贫贷款台账》未报送。",
        "请尽快补报《金融精准扶贫贷款台账》。下月请在截止时间前报送各项报表，以恢复参加排名。",
    )


def test_a_county_office_opens_with_its_countys_places() -> None:
    results = small_results(reporting=(reported("households", "accepted"),))
    summary = own_summary(small_bulletin(), results, OFFICE)

    assert summary.title == "江城区在各县市区中的位次"
    assert [name for name, _ in summary.facts] == ["扶贫小额信贷本年发放额", "走访覆盖率", "项目对接率", "资金到位率"]
    assert summary.paragraphs == ("江城扶贫办本月应报1份，收到1份，按时1份，一次通过1份。",)


@pytest.mark.parametrize("code", [None, CENTRE])
def test_leaders_open_with_the_city_in_three_sentences(code: str | None) -> None:
    results = small_results(
        others=((1, "99.08"), (3, "70"), (4, "66")),
        city_figures={
            "loan_balance": "53430.32",
            "microcredit_ytd_amount": "2024.39",
            "microcredit_ytd_households": 596,
            "microcredit_ytd_amount_yoy": "-5.1",
            "province_rank": 7,
            "visit_coverage_standing": "89.35",
            "match_rate": "80.1",
        },
    )

    assert own_summary(small_bulletin(), results, code).paragraphs == (
        "6月末，全市金融精准扶贫贷款余额53,430.32万元；本年向596户发放扶贫小额信贷2,024.39万元，同比下降5.10%，居全省第7位。",
        "4家银行参评，优秀1家、良好1家、一般2家，第2银行居首位。",
        "走访覆盖率89.35%，项目对接率80.10%。",
    )


def test_where_there_are_no_figures_of_the_city_nothing_is_said_of_them() -> None:
    results = small_results(others=(), now="暂不排名：《金融精准扶贫贷款台账》未报送")

    assert own_summary(small_bulletin(), results, None).paragraphs == ("本季末没有银行参加排名。",)


def test_who_is_not_there_gets_no_letter() -> None:
    with pytest.raises(RefusedError, match="B77 is not open at the end of 2019-Q2"):
        render_letter(small_bulletin(), small_results(), "B77")


def test_a_letter_reads_as_plain_text() -> None:
    subject, html = render_letter(small_bulletin(wide_table(3)), small_results(items=ITEMS), BANK)

    assert subject == "关于2019年第二季度金融精准扶贫工作情况的通报（〔2019〕第2期）"
    lines = [line.strip() for line in text_of(html).splitlines() if line.strip()]
    start = lines.index("各银行业金融机构、各县（市、区）扶贫办：")
    assert lines[:6] == [
        "【演示数据】机构、人员和数字均为虚构。",
        "关于2019年第二季度金融精准扶贫工作情况的通报",
        "演示市中心支行 〔2019〕第2期",
        "岭海通商的考核情况",
        "名次：第2名（共3家参评），首次参评",
        "得分：88.45分",
    ]
    assert lines[start:] == [
        "各银行业金融机构、各县（市、区）扶贫办：",
        "现将2019年第二季度金融精准扶贫工作情况通报如下。",
        "一、总体情况",
        "6月末，全市金融精准扶贫贷款余额53,430.33万元。",
        "表1 金融精准扶贫贷款余额",
        "单位：万元、%",
        "县（市、区） | 金融精准扶贫贷款：余额 | 金融精准扶贫贷款：比上年同期增速 | 扶贫小额信贷：户数",
        "江城区 | 53,430.33 | -3.20 | 1,234",
        "阳东区 | 1,250.50* | — | <5",
        "合计 | 54,680.83 | 1.50 |",
        "注：阳东区4月数据已重述。",
        "二、考核排名",
        "（一）得分",
        "表2 银行考核得分",
        "位次 | 银行 | 得分 | 等级",
        "1 | 漠岸农商 | 99.08 | 优秀",
        "2 | 渔光村镇 | 98.75 | 优秀",
        "— | 碧澜开拓 | — | 暂不排名",
        "演示市中心支行",
        "2019年7月15日",
        "统计图，以及《附表1 各银行业金融机构金融精准扶贫工作主要指标》，见附件。",
        "计算批次2019-06-r1，输入摘要7d94813483834b71。",
        "未取得：碧澜开拓《金融精准扶贫贷款台账》。",
        "本邮件由金融精准扶贫监测系统自动发出。",
    ]


def test_wide_tables_and_charts_are_left_to_the_attachments() -> None:
    bulletin = small_bulletin()
    section = Section("三、五个精准进展", (wide_table(5), Paragraph("第一段。\n第二段。")))
    _, html = render_letter(replace(bulletin, sections=(*bulletin.sections, section)), small_results(), BANK)

    assert "（《附表1 各银行业金融机构金融精准扶贫工作主要指标》见附件。）" in html
    assert "第3农商银行" not in html
    assert "<svg" not in html
    assert "<img" not in html
    assert "第一段。</p>" in html


def sized(banks: int) -> tuple[Bulletin, str]:
    bulletin = small_bulletin(bank_appendix(banks))
    blocks = (category_table(), Paragraph("各行情况。" * 500), score_table(banks), alert_table())
    bulletin = replace(bulletin, sections=(*bulletin.sections, Section("三、五个精准进展", blocks)))
    others = [(rank, f"{100 - rank / 10}") for rank in range(1, banks) if rank != 20]
    return bulletin, render_letter(bulletin, small_results(now=(20, "80"), others=others, items=ITEMS), BANK)[1]


def test_a_letter_of_forty_banks_stays_under_the_limit_with_its_small_tables() -> None:
    bulletin, html = sized(40)

    assert 10_000 < len(html.encode()) < LARGEST
    assert "2019年第二季度考核排名" in html
    assert "（《2019年第二季度考核排名》见附件。）" not in html
    assert all(paragraph.text in html for paragraph in bulletin.paragraphs)


def test_the_largest_table_gives_way_when_a_letter_grows_too_large() -> None:
    _, html = sized(400)

    assert len(html.encode()) < LARGEST
    assert "（《2019年第二季度考核排名》见附件。）" in html
    assert "督查发现的主要问题" in html
    assert "（《督查发现的主要问题》见附件。）" not in html


def test_hostile_texts_are_escaped() -> None:
    bulletin = small_bulletin()
    hostile = '<script>alert("1")</script>'
    section = Section(hostile, (Paragraph(hostile),))
    bulletin = replace(
        bulletin, issuer=hostile, addressees=hostile, sections=(*bulletin.sections, section), footnotes=(hostile,)
    )
    _, html = render_letter(bulletin, small_results(short_name=hostile, items=ITEMS), BANK)

    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 6


def test_only_a_table_wider_than_a_telephone_scrolls() -> None:
    def made(figure: str, columns: int = 5) -> MailTable:
        headers = ["机构", "全年目标", "本年发放", "完成率", "月均还需"][:columns]
        return mail_table(headers, [["紫萝信用社", *[figure] * (columns - 1)]], numbers=headers[1:])

    assert not made("106.67").is_wide
    assert made("53,430.32").is_wide
    assert not made("53,430.32", columns=4).is_wide


def test_a_correction_shows_both_figures_beside_what_was_corrected() -> None:
    table = Table(
        code="changes",
        title="更正前后对照",
        unit="",
        columns=tuple(map(TableColumn, ("统计表", "对象", "项目", "更正前", "更正后"))),
        rows=(("动态考核得分和排名", "漠岸农商", "总分", "98.74", "98.75"),),
    )
    bulletin = small_bulletin()
    section = Section("二、更正内容", (table,))
    _, html = render_letter(replace(bulletin, sections=(section,)), small_results(items=ITEMS), BANK)
    assert "更正项目 | 更正前 | 更正后" in html
    assert "《动态考核得分和排名》漠岸农商：总分 | 98.74 | 98.75" in html
    assert "overflow-x" not in html
