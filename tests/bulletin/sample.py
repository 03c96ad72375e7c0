"""A bulletin with all that makes one hard to set: long names, wide tables, groups, gaps, marks, markup characters.

Invented throughout; its figures need not add up. Charts are drawn once in a session: they do not depend on the variant.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache, partial

from five_precisions.bulletin.charts import (
    BalancePoint,
    LeagueRow,
    PaceRow,
    Part,
    VisitRow,
    balances,
    league,
    pace,
    stacks,
    visits,
)
from five_precisions.bulletin.document import (
    Bulletin,
    Cell,
    Chart,
    Figure,
    Heading,
    Paragraph,
    Section,
    Table,
    TableColumn,
)
from five_precisions.display import Form

BANKS = (
    "岭海通商银行",
    "南屿实业银行",
    "云帆储蓄银行",
    "穗禾兴农银行",
    "碧澜开拓银行",
    "榕岸商贸银行",
    "鹭屿城市银行",
    "丹荔信义银行",
    "漠岸农村商业银行",
    "紫萝农村信用合作联社",
    "渔光村镇银行",
    "岩泉村镇银行",
)
LONG_BANK = "岭海通商银行股份有限公司阳江分行江城支行"
"""Twenty characters."""
COUNTIES = ("江城区", "阳东区", "阳西县", "阳春市")
CITIES = (
    "云州",
    "榕城",
    "穗江",
    "鹭岛",
    "阳江",
    "漠阳",
    "丹霞",
    "岭东",
    "岭西",
    "海丰",
    "珠浦",
    "梅溪",
    "韶石",
    "清远川",
    "茂林",
    "湛蓝湾",
    "肇庆原",
    "潮声",
    "揭岭",
    "汕头湾",
    "惠水",
)
CATEGORIES = ("产业", "个人经营", "个人教育", "个人消费")
INDICATORS = {"小额信贷增速": 20, "目标完成": 40, "项目对接": 10, "走访覆盖": 10, "贷款质量": 10, "报送质量": 10}
MARKUP = r"#sys.version *粗* _斜_ $x^2$ [括] <标签> @引用 \反 `码` // = 行 - 项 ~ -- 'x' \"y\" #{1+1}"
"""What Typst would act on if it read it as markup."""


def amount(value: str | None, *, restated: bool = False) -> Figure:
    return Figure(None if value is None else Decimal(value), Form.AMOUNT, restated=restated)


def percent(value: str | None) -> Figure:
    return Figure(None if value is None else Decimal(value), Form.PERCENT)


def whole(value: int | None) -> Figure:
    return Figure(value, Form.COUNT)


def place(value: int | None) -> Figure:
    return Figure(value, Form.RANK)


def score(value: Decimal | str | None) -> Figure:
    return Figure(None if value is None else Decimal(value), Form.SCORE)


def bank_names(number: int) -> list[str]:
    """The twelve banks; beyond them, names of twenty characters."""
    long = [f"{LONG_BANK[:16]}第{n:02d}支" for n in range(1, number - len(BANKS) + 1)]
    return [*BANKS, *long][:number]


def score_parts(number: int) -> list[Part]:
    chance = random.Random(2019)
    return [
        Part(bank, indicator, Decimal(chance.randint(35, 100)) * weight / 100)
        for bank in bank_names(number)
        for indicator, weight in INDICATORS.items()
    ]


def balance_points(months: int) -> list[BalancePoint]:
    chance = random.Random(6)
    first = 2019 * 12 + 5 - (months - 1)
    return [
        BalancePoint(f"{month // 12}-{month % 12 + 1:02d}", category, Decimal(chance.randint(400_000, 2_000_000)) / 100)
        for month in range(first, first + months)
        for category in CATEGORIES
    ]


def pace_rows(number: int) -> list[PaceRow]:
    chance = random.Random(12)
    return [PaceRow(bank, chance.randint(20, 1100), 1000 + place) for place, bank in enumerate(bank_names(number))]


def visit_rows() -> list[VisitRow]:
    chance = random.Random(4)
    return [
        VisitRow(county, name, Decimal(chance.randint(2000, 10_000)) / 100)
        for county in COUNTIES
        for name in ("第一轮", "第二轮", "第三轮")
    ]


def league_rows() -> list[LeagueRow]:
    chance = random.Random(21)
    return [
        LeagueRow(f"{city}市", Decimal(chance.randint(100_000, 9_000_000)) / 100, city == "阳江") for city in CITIES
    ]


@cache
def charts(banks: int) -> dict[str, Chart]:
    """All five, in the order of the bulletin."""
    drawn = {
        "balances": ("各月末金融精准扶贫贷款余额", balances(balance_points(6))),
        "scores": ("各银行考核得分构成", stacks(score_parts(banks), Form.SCORE, longest=100)),
        "league": ("全省各市扶贫小额信贷余额", league(league_rows())),
        "visits": ("各县（市、区）走访覆盖率", visits(visit_rows())),
        "pace": ("各银行全年目标完成进度", pace(pace_rows(banks), Decimal("0.5"))),
    }
    return {
        code: Chart(code=code, title=title, description=f"{title}：数值见附表。", draw=partial(str, svg))
        for code, (title, svg) in drawn.items()
    }


def category_table() -> Table:
    return Table(
        code="categories",
        title="金融精准扶贫贷款分类情况",
        unit="万元、%",
        columns=(
            TableColumn("类别"),
            TableColumn("余额", Form.AMOUNT, "2019年6月末"),
            TableColumn("占比", Form.PERCENT, "2019年6月末"),
            TableColumn("余额", Form.AMOUNT, "2019年3月末"),
            TableColumn("占比", Form.PERCENT, "2019年3月末"),
            TableColumn("比上季末增长", Form.PERCENT),
        ),
        rows=(
            (
                "产业精准扶贫贷款",
                amount("38214.56", restated=True),
                percent("61.2"),
                amount("35000"),
                percent("60.01"),
                percent("9.18"),
            ),
            ("个人经营贷款", amount("18005.1"), percent("28.84"), amount("17321.07"), percent("29.7"), percent("3.95")),
            ("个人教育贷款", amount("5210.33"), percent("8.34"), amount("5001.5"), percent("8.58"), percent("4.18")),
            ("个人消费贷款", amount("1012.48"), percent("1.62"), amount(None), percent(None), percent(None)),
            (
                "合计",
                amount("62442.47", restated=True),
                percent("100"),
                amount("58322.57"),
                percent("100"),
                percent("7.06"),
            ),
        ),
        has_total=True,
        note="注：带“*”的数据已重述；“—”表示无数据。",
    )


def score_table(banks: int) -> Table:
    parts = score_parts(banks)
    names = bank_names(banks)
    rows: list[tuple[Cell, ...]] = []
    totals = {name: sum((part.size for part in parts if part.subject == name), Decimal(0)) for name in names}
    for rank, name in enumerate(sorted(names, key=lambda name: -totals[name]), start=1):
        total = totals[name]
        grade = "优秀" if total >= 90 else "良好" if total >= 80 else "一般" if total >= 60 else "勉励"
        rows.append((place(rank), name, score(total), grade, place(None if rank == 3 else (rank * 7) % banks + 1)))
    return Table(
        code="scores",
        title="2019年第二季度考核排名",
        unit="分、位",
        columns=(
            TableColumn("名次", Form.RANK),
            TableColumn("银行"),
            TableColumn("得分", Form.SCORE),
            TableColumn("等次"),
            TableColumn("上期名次", Form.RANK),
        ),
        rows=tuple(rows),
    )


def alert_table() -> Table:
    return Table(
        code="alerts",
        title="督查发现的主要问题",
        unit="",
        columns=(
            TableColumn("督查内容"),
            TableColumn("涉及单位"),
            TableColumn("问题"),
            TableColumn("起始月份"),
            TableColumn("持续月数", Form.COUNT),
        ),
        rows=(
            ("主体责任落实", "云帆储蓄银行", "本季度没有在结对乡镇开展宣传活动，责任书未签订。", "2019年4月", whole(3)),
            (
                "贷款质量和用途真实性",
                LONG_BANK,
                "逾期率2.35%，比上季末上升0.6个百分点；3户贷款疑似户贷企用，须逐户核实资金流向。",
                "2019年5月",
                whole(2),
            ),
            ("小额信贷管理", "阳西县扶贫工作办公室", MARKUP, "2019年6月", whole(1)),
        ),
    )


def bank_appendix(banks: int) -> Table:
    chance = random.Random(14)
    rows: list[tuple[Cell, ...]] = []
    for name in bank_names(banks):
        rows.append(
            (
                name,
                amount(str(chance.randint(1, 99_999_999) / 100)),
                amount(str(chance.randint(1, 9_999_999) / 100), restated=chance.random() < 0.1),
                percent(str(chance.randint(-999, 9999) / 100)),
                whole(chance.randint(1, 9999)),
                whole(chance.randint(1, 9999)),
                percent(str(chance.randint(0, 10_000) / 100) if chance.random() > 0.2 else None),
                whole(chance.randint(0, 40)),
                percent(str(chance.randint(0, 10_000) / 100)),
                percent(str(chance.randint(0, 10_000) / 100)),
                percent(str(chance.randint(0, 300) / 100)),
                score(str(chance.randint(5000, 10_000) / 100)),
                place(len(rows) + 1),
                chance.choice(("优秀", "良好", "一般", "勉励")),
            )
        )
    total: tuple[Cell, ...] = (
        "合计",
        amount("1234567.89"),
        amount("98765.43"),
        percent("12.34"),
        whole(12_345),
        whole(23_456),
        percent("52.63"),
        whole(320),
        percent("66.66"),
        percent("77.77"),
        percent("1.23"),
        score(None),
        place(None),
        None,
    )
    return Table(
        code="banks",
        title="各银行金融精准扶贫主要指标",
        unit="万元、户、个、%、分",
        columns=(
            TableColumn("银行"),
            TableColumn("贷款余额", Form.AMOUNT, "贷款"),
            TableColumn("其中：扶贫小额信贷", Form.AMOUNT, "贷款"),
            TableColumn("同比增长", Form.PERCENT, "贷款"),
            TableColumn("全年目标", Form.COUNT, "目标"),
            TableColumn("已完成", Form.COUNT, "目标"),
            TableColumn("完成率", Form.PERCENT, "目标"),
            TableColumn("对接项目", Form.COUNT),
            TableColumn("对接率", Form.PERCENT),
            TableColumn("走访覆盖率", Form.PERCENT),
            TableColumn("逾期率", Form.PERCENT),
            TableColumn("得分", Form.SCORE, "考核"),
            TableColumn("名次", Form.RANK, "考核"),
            TableColumn("等次", Form.TEXT, "考核"),
        ),
        rows=(*rows, total),
        has_total=True,
        note="注：未下达全年目标的银行不计算完成率。",
    )


def county_appendix() -> Table:
    return Table(
        code="counties",
        title="各县（市、区）主要指标",
        unit="万元、户、%",
        columns=(
            TableColumn("县（市、区）"),
            TableColumn("风险补偿金", Form.AMOUNT),
            TableColumn("入库项目", Form.COUNT),
            TableColumn("对接率", Form.PERCENT),
            TableColumn("有劳动能力户", Form.COUNT),
            TableColumn("走访覆盖率", Form.PERCENT),
            TableColumn("5户以下乡镇"),
        ),
        rows=tuple(
            (county, amount(f"{1500 + n}.5"), whole(12 + n), percent("45.5"), whole(3000 + n), percent("88.88"), "<5")
            for n, county in enumerate(COUNTIES)
        ),
    )


def league_appendix() -> Table:
    rows = sorted(league_rows(), key=lambda row: -row.amount)
    return Table(
        code="league",
        title="全省各市扶贫小额信贷余额及排名",
        unit="万元、%、位",
        columns=(
            TableColumn("位次", Form.RANK),
            TableColumn("市"),
            TableColumn("余额", Form.AMOUNT),
            TableColumn("同比增长", Form.PERCENT),
        ),
        rows=tuple(
            (place(rank), row.city, Figure(row.amount, Form.AMOUNT), percent(f"{30 - rank}.0{rank % 10}"))
            for rank, row in enumerate(rows, start=1)
        ),
    )


def sample(
    banks: int = 12, *, is_demo: bool = True, remark: str = "各单位要压实责任。\n请于7月20日前报送整改情况。"
) -> Bulletin:
    """A bulletin of so many banks."""
    drawn = charts(banks)
    overall = Section(
        "一、总体情况",
        (
            Paragraph(
                "截至2019年6月末，全市金融精准扶贫贷款余额62,442.47*万元，比年初增加4,119.90万元，增长7.06%。其中，产业精准扶贫"
                "贷款余额38,214.56*万元，占61.20%；个人精准扶贫贷款余额24,227.91万元，占38.80%。扶贫小额信贷余额9,876.54万元，"
                "同比增长35.20%，增速高于各项贷款22.10个百分点；惠及建档立卡贫困户2,345户，余额居全省21个市第5位，比上季度上升"
                "1位。"
            ),
            category_table(),
            drawn["balances"],
            Paragraph("从全省看，我市扶贫小额信贷余额与排名前一位的市相差512.30万元。", ()),
            drawn["league"],
        ),
    )
    ranking = Section(
        "二、考核排名",
        (
            Paragraph(f"本季度参加考核的银行{banks}家，平均得分70.12分。“优秀”2家，“良好”4家，“一般”5家，“勉励”1家。"),
            score_table(banks),
            drawn["scores"],
            Paragraph("岩泉村镇银行本季度新开业，没有上年同期数，不参加排名。"),
        ),
    )
    progress = Section(
        "三、五个精准进展",
        (
            Heading("（一）精准宣传"),
            Paragraph(
                "本季度共开展宣传活动86场次，覆盖乡镇38个，培训驻村干部1,204人次，发放政策宣传手册15,600份。没有开展活动的乡镇2个。"
            ),
            Heading("（二）精准对接"),
            Paragraph(
                "各县（市、区）项目库入库项目125个，银行已对接88个，对接率70.40%，发放贷款12,345.67万元，带动就业3,210人。"
            ),
            Heading("（三）精准走访"),
            Paragraph("第三轮走访已覆盖有劳动能力贫困户10,234户，覆盖率72.57%。"),
            drawn["visits"],
            Heading("（四）精准考核"),
            Paragraph(
                "年度目标任务按政府担保贴息资金份额分解。截至6月末，全市已完成全年目标的52.63%，高于时间进度2.63个百分点。"
            ),
            drawn["pace"],
            Heading("（五）精准督导"),
            Paragraph("本季度现场督查12次，发现问题31个，已整改25个。"),
        ),
    )
    problems = Section("四、存在问题", (Paragraph("督查和数据监测发现以下问题，有关单位应当逐项整改："), alert_table()))
    demands = Section(
        "五、下一步要求",
        (
            Paragraph("（一）完成进度低于时间进度的银行，应当逐月列出投放计划，确保三季度末达到序时进度。"),
            Paragraph("（二）存在督办事项的单位，应当在收到本通报之日起15个工作日内报送整改情况。"),
            Paragraph(remark),
        ),
    )
    return Bulletin(
        quarter="2019-Q2",
        issuer="演示市中心支行",
        number="〔2019〕第2期",
        title="关于2019年第二季度金融精准扶贫工作情况的通报",
        addressees="各县（市、区）扶贫工作办公室，各银行业金融机构",
        introduction=Paragraph(
            "现将2019年第二季度全市金融精准扶贫工作情况通报如下。本通报依据各银行、各县（市、区）扶贫工作办公室按月报送的数据编制。"
        ),
        sections=(overall, ranking, progress, problems, demands),
        appendices=(bank_appendix(banks), county_appendix(), league_appendix()),
        issued_on=date(2019, 7, 10),
        footnotes=(
            "运行编号：2019-06-r2；第2次修订；考核办法版本：2016。",
            "输入数据摘要：3f8a2c9be1d04f6785a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b。",
            "缺报单位：渔光村镇银行（6月走访表）、阳西县扶贫工作办公室（6月项目库）。",
            "带“*”的数据与首次公布时不同，已重述；户数为1至4的，以“<5”表示。",
        ),
        is_demo=is_demo,
    )


def final(bulletin: Bulletin) -> Bulletin:
    """The same, of real data."""
    return replace(bulletin, is_demo=False)
