"""The bulletin's sentences and tables from results: rise, fall, unchanged, first time, none, missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from five_precisions.bulletin.compose import compose, write_sections
from five_precisions.bulletin.document import Bulletin, Chart, Heading, Paragraph, Source, Table
from five_precisions.bulletin.invariants import find_unsound
from five_precisions.bulletin.results import Alert, Assessment, Inspection, Reporting
from five_precisions.errors import RefusedError
from five_precisions.period import Period, Quarter
from five_precisions.reference import load_catalogue
from five_precisions.register import InstitutionKind
from five_precisions.settings import Settings
from tests.bulletin.small_quarter import CITY, JUNE, MARCH, QUARTER, small_quarter


def texts(bulletin: Bulletin, section: int) -> list[str]:
    return [block.text for block in bulletin.sections[section].blocks if isinstance(block, Paragraph | Heading)]


def table(bulletin: Bulletin, code: str) -> Table:
    return next(table for table in bulletin.tables if table.code == code)


def shown_rows(found: Table) -> list[list[str]]:
    return [["—" if cell is None else str(cell) for cell in row] for row in found.rows]


def test_head_and_order_of_the_document() -> None:
    bulletin = compose(small_quarter(), is_demo=True)
    assert bulletin.issuer == "演示市中心支行"
    assert bulletin.number == "〔2019〕第2期"
    assert bulletin.title == "关于2019年第二季度金融精准扶贫工作情况的通报"
    assert bulletin.introduction.text == "现将2019年第二季度全市金融精准扶贫工作情况通报如下。数据截至2019年6月30日。"
    assert [section.title for section in bulletin.sections] == [
        "一、总体情况", "二、考核排名", "三、五个精准进展", "四、存在问题", "五、下一步要求",
    ]  # fmt: skip
    assert [chart.code for chart in bulletin.charts] == [
        "balances", "league_chart", "scores_chart", "outreach_chart", "matching_chart", "visits_chart", "pace_chart",
    ]  # fmt: skip
    assert [table.code for table in bulletin.appendices] == ["summary", "banks", "counties", "league"]
    assert bulletin.is_demo
    assert bulletin.footnotes[0].startswith("本通报依据2019年6月考核运行2019-06-r1（第1次，考核方案2016，数据摘要abab")
    assert bulletin.footnotes[1:] == ("本季各机构应报报表均已取得。",)


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("800", "贷款余额1,000.00万元，比上季末增加200.00万元、增长25.00%。"),
        ("1250", "贷款余额1,000.00万元，比上季末减少250.00万元、下降20.00%。"),
        ("1000", "贷款余额1,000.00万元，与上季末持平。"),
        ("1000.004", "贷款余额1,000.00万元，与上季末持平。"),
        ("0", "贷款余额1,000.00万元，比上季末增加1,000.00万元。"),
        (None, "贷款余额1,000.00万元。"),
    ],
)  # fmt: skip
def test_balance_rises_falls_stays(before: str | None, sentence: str) -> None:
    results = small_quarter({("loan_balance", "city", CITY, MARCH): before})
    assert texts(compose(results), 0)[1].startswith(f"截至6月末，全市金融精准扶贫{sentence}")


def test_year_on_year_and_the_floor_of_growth() -> None:
    first, second = texts(compose(small_quarter()), 0)[3:5]
    assert first == (
        "截至6月末，全市扶贫小额信贷余额100.00万元，比年初增长12.50%；"
        "同期全市各项贷款增长4.00%，扶贫小额信贷增速比各项贷款高8.50个百分点。"
    )
    assert second == (
        "1—6月全市发放扶贫小额信贷20户、40.00万元，户数同比增长25.00%，金额同比下降20.00%；"
        "历年累计发放40户、130.00万元。扶贫小额信贷逾期率为0.00%。"
    )


def test_nothing_lent_in_the_year_before() -> None:
    results = small_quarter(
        {
            ("microcredit_ytd_households_yoy", "city", CITY, JUNE): None,
            ("microcredit_ytd_amount_yoy", "city", CITY, JUNE): None,
            ("microcredit_ytd_amount_prior", "city", CITY, JUNE): "0",
        }
    )
    assert "40.00万元，上年同期没有发放；" in texts(compose(results), 0)[4]


def test_growth_below_equal_and_unknown() -> None:
    below = small_quarter({("microcredit_growth", "city", CITY, JUNE): "-3.2"})
    assert (
        "比年初下降3.20%；同期全市各项贷款增长4.00%，扶贫小额信贷增速比各项贷款低7.20个百分点。"
        in texts(compose(below), 0)[3]
    )
    equal = small_quarter({("microcredit_growth", "city", CITY, JUNE): "4"})
    assert "扶贫小额信贷增速与各项贷款持平。" in texts(compose(equal), 0)[3]
    unknown = small_quarter({("microcredit_growth", "city", CITY, JUNE): None})
    assert texts(compose(unknown), 0)[3] == "截至6月末，全市扶贫小额信贷余额100.00万元。"


def test_place_in_the_province() -> None:
    results = small_quarter()
    assert texts(compose(results), 0)[6] == "1—6月我市扶贫小额信贷发放额在全省2个市中居第2位，与上月相比上升1位。"
    without = replace(results, at_end=replace(results.at_end, boards={}))
    bulletin = compose(without)
    assert "（三）全省位次" not in texts(bulletin, 0)
    assert [table.code for table in bulletin.appendices] == ["summary", "banks", "counties"]
    assert "league_chart" not in [chart.code for chart in bulletin.charts]


def test_first_quarter_on_record_compares_with_nothing() -> None:
    bulletin = compose(small_quarter(months=QUARTER.months))
    assert "上季末" not in texts(bulletin, 0)[1]
    assert [column.header for column in table(bulletin, "summary").columns] == ["指标", "单位", "本季末", "占比(%)"]
    assert table(bulletin, "scores").columns[-1].header == "比上月"


def test_ranking_names_best_worst_and_movement() -> None:
    results = small_quarter()
    assessments = dict(results.at_end.assessments)
    assessments[str(MARCH)] = {
        "B01": Assessment(str(MARCH), "B01", Decimal(60), Decimal(0), "一般", 2, 2, None),
        "B02": Assessment(str(MARCH), "B02", Decimal(80), Decimal(0), "良好", 1, 1, None),
    }
    moved = replace(results, at_end=replace(results.at_end, assessments=assessments))
    bulletin = compose(moved)
    assert texts(bulletin, 1) == [
        "本季对全市2家银行进行动态考核，2家参加排名。优秀1家（甲银行）；一般1家（乙银行）。",
        "得分居前的是甲银行（91.50分）、乙银行（70.25分）。与上季末相比，位次上升的有甲银行（1位）；位次下降的有乙银行（1位）。",
    ]
    assert shown_rows(table(bulletin, "scores")) == [
        ["1", "甲银行", "18.30", "36.60", "9.15", "9.15", "9.15", "9.15", "0.00", "91.50", "优秀", "上升1位"],
        ["2", "乙银行", "14.45", "28.90", "7.23", "7.23", "7.23", "7.23", "2.00", "70.25", "一般", "下降1位"],
    ]
    assert "与上季末相比，各行位次均未变化。" in texts(compose(results), 1)[1]


def test_unranked_bank_is_named_with_its_reason() -> None:
    results = small_quarter({("loan_balance", "bank", "B02", JUNE): None})
    reason = "暂不排名：《金融精准扶贫贷款台账》未报送"
    standing = {
        "B01": results.at_end.assessments[str(JUNE)]["B01"],
        "B02": Assessment(str(JUNE), "B02", None, None, None, None, 2, reason),
    }
    missing = [
        replace(each, status="missing") if (each.institution_code, each.period) == ("B02", str(JUNE)) else each
        for each in results.at_end.reporting
    ]
    at_end = replace(
        results.at_end, assessments={**results.at_end.assessments, str(JUNE): standing}, reporting=missing,
        items={"B01": results.at_end.items["B01"]},
    )  # fmt: skip
    bulletin = compose(replace(results, at_end=at_end))
    assert bulletin.introduction.text.endswith("；未取得乙银行的《金融精准扶贫贷款台账》，未计入全市合计。")
    assert texts(bulletin, 1)[0].startswith("本季对全市2家银行进行动态考核，1家参加排名。")
    assert texts(bulletin, 1)[-1] == f"乙银行{reason}。"
    assert shown_rows(table(bulletin, "scores"))[-1] == ["暂不排名", "乙银行", *["—"] * 10]
    assert "本季未取得、未计入的报表：乙银行（2019年6月）：《金融精准扶贫贷款台账》。" in bulletin.footnotes
    assert "未报或未通过1张次（乙银行）" in texts(bulletin, 3)[-1]


def test_shortcomings_lead_to_requirements() -> None:
    results = small_quarter(
        {
            ("microcredit_growth", "bank", "B02", JUNE): "-5",
            ("microcredit_overdue_ratio", "bank", "B02", JUNE): "3.006",
            ("projects_stale", "city", CITY, JUNE): "1",
            ("projects_stale", "county", "441702", JUNE): "1",
        }
    )
    bulletin = compose(results)
    assert texts(bulletin, 3) == [
        "（一）部分银行进度落后。未完成扶贫小额信贷序时进度的有乙银行（80.00%）。",
        "（二）部分银行增速不达标。扶贫小额信贷比年初增速未高于全市各项贷款增速（4.00%）的有乙银行（-5.00%）。",
        "（三）部分银行逾期率偏高。扶贫小额信贷逾期率超过百分之三的有乙银行（3.01%）。",
        "（四）部分项目长期无人对接。入库超过九十天仍未对接的项目分布在江城区（1个）。",
    ]
    assert texts(bulletin, 4)[0] == (
        "（一）加快投放进度。乙银行（2户）要对照全年目标倒排进度，年内剩余月份每月发放不少于括号内户数。"
    )
    assert [text[:3] for text in texts(bulletin, 4)] == ["（一）", "（二）", "（三）", "（四）", "各银行"]


def test_a_quarter_without_shortcomings_says_so() -> None:
    results = small_quarter({("microcredit_completion", "bank", "B02", JUNE): "100"})
    bulletin = compose(results)
    assert texts(bulletin, 3) == ["从本季报表看，未发现需要通报的问题。"]
    assert texts(bulletin, 4) == ["各银行、各县（市、区）扶贫办要对照本通报查找差距，抓好落实。"]


def test_remark_becomes_part_of_the_requirements() -> None:
    bulletin = compose(small_quarter(), remark="请各行行长亲自抓。\n\n  下季度召开推进会。 ")
    assert texts(bulletin, 4)[-3:-1] == ["（二）请各行行长亲自抓。", "（三）下季度召开推进会。"]
    assert find_unsound(bulletin, small_quarter()) == []


def test_remark_may_hold_numbers_and_template_signs() -> None:
    bulletin = compose(small_quarter(), remark="{{ city }} 于7月15日前报送3份材料 # [scores] <b>")
    assert "{{ city }} 于7月15日前报送3份材料 # [scores] <b>" in texts(bulletin, 4)[-2]
    assert find_unsound(bulletin, small_quarter()) == []


def test_reporting_trouble_is_counted_by_institution() -> None:
    results = small_quarter()
    late = Reporting("2019-04", "C01", "households", "accepted", 1, False, True, 0, 0)
    mended = Reporting("2019-05", "C01", "projects", "accepted", 2, True, False, 0, 0)
    of_march = Reporting("2019-03", "C01", "projects", "accepted", 2, False, False, 0, 0)
    bulletin = compose(
        replace(results, at_end=replace(results.at_end, reporting=[*results.at_end.reporting, late, mended, of_march]))
    )
    assert shown_rows(table(bulletin, "reporting")) == [["江城扶贫办", "1", "1", "0"]]
    assert texts(bulletin, 3)[-1].endswith("本季迟报1张次（江城扶贫办），退回后重报1张次（江城扶贫办）。")


def test_inspections_overdue_are_those_due_before_the_quarter_ended() -> None:
    def inspection(number: str, due_on: date, mended_on: date | None) -> Inspection:
        return Inspection(number, "B02", "小额信贷管理", "一般", date(2019, 4, 1), due_on, mended_on)

    found = [
        inspection("1", date(2019, 5, 1), date(2019, 5, 2)),
        inspection("2", date(2019, 6, 29), None),
        inspection("3", date(2019, 6, 30), None),
    ]
    results = small_quarter()
    bulletin = compose(replace(results, at_end=replace(results.at_end, inspections=found)))
    assert shown_rows(table(bulletin, "supervision")) == [
        ["小额信贷管理", "3", "1", "1", "1"],
        ["合计", "3", "1", "1", "1"],
    ]
    assert "专项督查累计发现问题3个，已整改1个，逾期未整改1个。" in texts(bulletin, 2)


def test_restated_figures_are_marked_and_explained() -> None:
    results = small_quarter()
    restated = {Source("loan_balance", "city", CITY, str(JUNE))}
    bulletin = compose(replace(results, at_end=replace(results.at_end, restated=restated)))
    assert "贷款余额1,000.00*万元" in texts(bulletin, 0)[1]
    assert "产业精准扶贫贷款余额500.00万元" in texts(bulletin, 0)[1]
    assert bulletin.footnotes[-1] == "标*的数字经过重述，与此前公布的不同。"


def test_a_revision_that_changed_nothing_shown_marks_nothing() -> None:
    results = small_quarter()
    runs = {**results.at_end.runs, str(JUNE): replace(results.at_end.run, revision=2)}
    bulletin = compose(replace(results, at_end=replace(results.at_end, runs=runs)))
    assert bulletin.footnotes[1:] == ("本季各机构应报报表均已取得。",)


def test_quarter_without_all_months_is_refused() -> None:
    with pytest.raises(RefusedError, match="2019-05 has not been assessed"):
        small_quarter(months=(MARCH, Period(2019, 4), JUNE))


def test_register_without_a_centre_is_refused() -> None:
    results = small_quarter()
    others = {
        code: each for code, each in results.at_end.institutions.items() if each.kind is not InstitutionKind.CENTRE
    }
    with pytest.raises(RefusedError, match="centre"):
        compose(replace(results, at_end=replace(results.at_end, institutions=others)))


def test_charts_say_what_they_show() -> None:
    for chart in compose(small_quarter()).charts:
        assert isinstance(chart, Chart)
        assert chart.title
        assert chart.description
        assert chart.svg.startswith("<svg")


def test_more_than_ten_requirements_are_numbered_on() -> None:
    remark = "\n".join(f"第{letter}件事" for letter in "甲乙丙丁戊己庚辛壬癸子丑")
    numbers = [text[: text.index("）") + 1] for text in texts(compose(small_quarter(), remark=remark), 4)[:-1]]
    assert numbers[9:] == ["（十）", "（十一）", "（十二）", "（十三）"]


def test_a_bank_is_not_blamed_with_the_others() -> None:
    """Whoever has no value, or a good one, is not among 各银行."""
    results = small_quarter({("microcredit_completion", "bank", "B01", JUNE): None})
    assert texts(compose(results), 3)[0].startswith("（一）部分银行进度落后。")
    assert texts(compose(results), 4)[0].startswith("（一）加快投放进度。乙银行（2户）要对照")
    everybody = small_quarter({("microcredit_completion", "bank", "B01", JUNE): "99"})
    assert texts(compose(everybody), 3)[0].startswith("（一）各银行进度落后。")


def test_what_rounds_to_the_limit_is_no_shortcoming() -> None:
    results = small_quarter({("microcredit_completion", "bank", "B02", JUNE): "99.996"})
    assert texts(compose(results), 3) == ["从本季报表看，未发现需要通报的问题。"]


CATALOGUE = load_catalogue(Settings(_env_file=None))
RATIOS = [(code,) for code, metric in CATALOGUE.metrics.items() if metric.unit in ("%", "分")]
FAMILIES = [
    tuple(code for code, metric in CATALOGUE.metrics.items() if statement in metric.sql)
    for statement in CATALOGUE.statements
]


@pytest.mark.parametrize("metrics", [*RATIOS, *FAMILIES], ids=lambda metrics: metrics[0])
def test_what_has_no_value_is_not_told(metrics: tuple[str, ...]) -> None:
    """A ratio over nothing, or a report that nobody delivered."""
    results = small_quarter(
        {
            (metric, scope, code, month): None
            for metric in metrics
            for scope, code in (("city", CITY), ("county", "441702"), ("bank", "B01"), ("bank", "B02"))
            for month in (MARCH, *QUARTER.months)
        }
    )
    introduction, sections = write_sections(results, "", {})
    sentences = [block.text for section in sections for block in section.blocks]
    assert len(sentences) > 10
    assert [text for text in (introduction.text, *sentences) if "—" in text.replace("1—6月", "")] == []


def test_a_closed_bank_is_told_by_its_name() -> None:
    results = small_quarter()
    at_end = replace(
        results.at_end,
        names={**results.at_end.names, "B99": "已撤机构99"},
        reporting=[*results.at_end.reporting, Reporting("2019-04", "B99", "loans", "accepted", 1, False, True, 0, 0)],
    )
    bulletin = compose(replace(results, at_end=at_end))
    assert "迟报1张次（已撤机构99）" in texts(bulletin, 3)[-1]
    assert find_unsound(bulletin, replace(results, at_end=at_end)) == []


def test_inspections_missing_is_not_none_found() -> None:
    results = small_quarter()
    assert "《专项督查台账》未取得。" in texts(compose(results), 2)
    received = Reporting(str(JUNE), "Z01", "inspections", "nil", 1, True, True, 0, 0)
    with_nil = replace(results, at_end=replace(results.at_end, reporting=[*results.at_end.reporting, received]))
    assert "尚无专项督查发现的问题。" in texts(compose(with_nil), 2)


def test_first_quarter_does_not_compare_with_the_year_before() -> None:
    """What counts from the year's beginning has nothing to do with what was reached in December."""
    december, year = Period(2018, 12), Quarter(2019, 1)
    results = small_quarter(months=(december, *year.months), quarter=year)
    rows = {row[0]: row for row in shown_rows(table(compose(results), "summary"))}
    assert rows["扶贫小额信贷本年发放户数"][4:] == ["—", "—", "—"]
    assert rows["金融精准扶贫贷款余额"][4:] == ["1,000.00", "0.00", "0.00"]


def test_who_was_unranked_before_is_not_ranked_for_the_first_time() -> None:
    results = small_quarter()
    april, may = QUARTER.months[:2]

    def movements(*unranked: Period) -> list[list[str]]:
        assessments = {month: dict(of) for month, of in results.at_end.assessments.items()}
        for month in unranked:
            assessments[str(month)]["B02"] = Assessment(str(month), "B02", None, None, None, None, None, "暂不排名")
        moved = replace(results, at_end=replace(results.at_end, assessments=assessments))
        return [row[-1:] for row in shown_rows(table(compose(moved), "scores"))]

    assert movements() == [["位次不变"], ["位次不变"]]
    assert movements(MARCH) == [["位次不变"], ["上季末未排名"]]
    assert movements(MARCH, april, may) == [["位次不变"], ["首次排名"]]


def test_of_a_single_round_of_visits_there_is_one_column() -> None:
    results = small_quarter()
    assert [column.header for column in table(compose(results), "visits").columns if column.group == "覆盖率"] == [
        "第一轮"
    ]
    second = compose(replace(results, at_end=replace(results.at_end, visit_round=2)))
    headers = [column.header for column in table(second, "visits").columns if column.group == "覆盖率"]
    assert headers == ["第一轮", "第二轮"]
    assert any("第二轮走访覆盖率90.00%" in text for text in texts(second, 2))


def test_each_precision_has_its_table_and_its_chart() -> None:
    results = small_quarter()
    found = [Inspection("1", "B02", "小额信贷管理", "一般", date(2019, 4, 1), date(2019, 5, 1), None)]
    blocks = compose(replace(results, at_end=replace(results.at_end, inspections=found))).sections[2].blocks
    kinds = [type(block) for block in blocks if not isinstance(block, Paragraph)]
    assert kinds == [Heading, Table, Chart] * 5
    assert all(block.is_narrow for block in blocks if isinstance(block, Chart))


def test_a_large_area_is_told_by_its_ends() -> None:
    """Hundreds of banks (docs/field.md#sizes): sentences name the first, charts show both ends, tables hold all."""
    results = small_quarter()
    at_end = results.at_end
    codes = [f"B{number:03d}" for number in range(1, 301)]
    bank, behind = at_end.institutions["B01"], at_end.assessments[str(JUNE)]["B02"]
    metrics = {source.metric: value for source, value in at_end.values.items() if source.code == "B02"}
    many = replace(
        at_end,
        institutions={code: replace(bank, code=code, short_name=f"银行{code}") for code in codes}
        | {"Z01": at_end.institutions["Z01"]},
        names={code: f"银行{code}" for code in codes} | at_end.names,
        values=dict(at_end.values)
        | {Source(name, "bank", code, str(JUNE)): value for code in codes for name, value in metrics.items()},
        assessments=dict(at_end.assessments)
        | {str(JUNE): {code: replace(behind, institution_code=code, rank=rank) for rank, code in enumerate(codes, 1)}},
        items=dict.fromkeys(codes, at_end.items["B02"]),
        targets=dict.fromkeys(codes, 20),
        reporting=[],
    )
    bulletin = compose(replace(results, at_end=many))
    [text] = [text for text in texts(bulletin, 3) if "进度落后" in text]
    assert text.count("银行B") == 12
    assert text.endswith("、银行B012（80.00%）等300家。")
    assert texts(bulletin, 1)[0].endswith("银行B012等300家）。")
    assert len(table(bulletin, "scores").rows) == 300
    drawn = {chart.code: chart for chart in bulletin.charts}
    assert drawn["scores_chart"].title.startswith("前12家和后12家银行")
    for code in ("scores_chart", "pace_chart"):
        assert drawn[code].svg.count(">银行B") == 24
        assert {">银行B012<", ">银行B289<"} <= set(re.findall(r">银行B\d+<", drawn[code].svg))


def test_aspects_stand_in_their_declared_order() -> None:
    results = small_quarter()
    aspects = ["主体责任落实", "贷款质量和用途真实性", "小额信贷管理", "产业贷款推进", "产品创新"]
    alerts = [
        Alert("A01", aspect, "low", "B01", "甲", "", f"c{number}", "2019-06")
        for number, aspect in enumerate(sorted(aspects))
    ]
    assert [alert.aspect for alert in alerts] != aspects
    rows = table(compose(replace(results, at_end=replace(results.at_end, alerts=alerts))), "alerts").rows
    assert [row[0] for row in rows] == aspects


def test_nothing_is_told_in_words_and_not_as_nought() -> None:
    words = " ".join(texts(compose(small_quarter()), 2))
    assert "没有入库超过九十天仍未对接的项目。" in words
    assert "走访中提出的贷款需求均已满足。" in words
    changed = {(metric, "city", CITY, JUNE): "3" for metric in ("projects_stale", "households_wanting")}
    words = " ".join(texts(compose(small_quarter(changed)), 2))
    assert "入库超过九十天仍未对接的项目3个。" in words
    assert "有贷款需求尚未满足的3户。" in words
