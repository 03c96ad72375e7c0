"""A bulletin made by hand: grouped and wide tables, missing and restated figures, hostile texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

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

AMOUNT_WITH_HALF = Figure(Decimal("53430.325"), Form.AMOUNT)

BALANCES = Table(
    code="balances",
    title="表1 金融精准扶贫贷款余额",
    unit="万元、%",
    columns=(
        TableColumn("县（市、区）"),
        TableColumn("余额", Form.AMOUNT, "金融精准扶贫贷款"),
        TableColumn("比上年同期增速", Form.PERCENT, "金融精准扶贫贷款"),
        TableColumn("户数", Form.COUNT, "扶贫小额信贷"),
    ),
    rows=(
        ("江城区", AMOUNT_WITH_HALF, Figure(Decimal("-3.204"), Form.PERCENT), Figure(1234, Form.COUNT)),
        ("阳东区", Figure(Decimal("1250.5"), Form.AMOUNT, restated=True), Figure(None, Form.PERCENT), "<5"),
        ("合计", Figure(Decimal("54680.825"), Form.AMOUNT), Figure(Decimal("1.5"), Form.PERCENT), None),
    ),
    has_total=True,
    note="阳东区4月数据已重述。",
)

SCORES = Table(
    code="scores",
    title="表2 银行考核得分",
    unit="",
    columns=(TableColumn("位次", Form.RANK), TableColumn("银行"), TableColumn("得分", Form.SCORE), TableColumn("等级")),
    rows=(
        (Figure(1, Form.RANK), "漠岸农商", Figure(Decimal("99.08"), Form.SCORE), "优秀"),
        (Figure(2, Form.RANK), "渔光村镇", Figure(Decimal("98.745"), Form.SCORE), "优秀"),
        (Figure(None, Form.RANK), "碧澜开拓", Figure(None, Form.SCORE), "暂不排名"),
    ),
)


def wide_table(banks: int, metrics: int = 14) -> Table:
    """An appendix: banks by indicators."""
    return Table(
        code="banks",
        title="附表1 各银行业金融机构金融精准扶贫工作主要指标",
        unit="万元、户、%",
        columns=(
            TableColumn("机构"),
            *(
                TableColumn(f"扶贫小额信贷指标{number}", Form.AMOUNT, f"第{number // 3 + 1}组")
                for number in range(metrics)
            ),
        ),
        rows=tuple(
            (f"第{bank}农商银行", *(Figure(Decimal(bank * 1000 + number), Form.AMOUNT) for number in range(metrics)))
            for bank in range(banks)
        ),
    )


def small_bulletin(*appendices: Table, is_demo: bool = True) -> Bulletin:
    """The second quarter of 2019, with two tables in its text."""
    return Bulletin(
        quarter="2019-Q2",
        issuer="演示市中心支行",
        number="〔2019〕第2期",
        title="关于2019年第二季度金融精准扶贫工作情况的通报",
        addressees="各银行业金融机构、各县（市、区）扶贫办：",
        introduction=Paragraph("现将2019年第二季度金融精准扶贫工作情况通报如下。"),
        sections=(
            Section(
                "一、总体情况",
                (
                    Paragraph(f"6月末，全市金融精准扶贫贷款余额{AMOUNT_WITH_HALF}万元。", (AMOUNT_WITH_HALF,)),
                    BALANCES,
                    Chart(code="bars", title="图1", description="柱形图", draw=lambda: "<svg/>"),
                ),
            ),
            Section("二、考核排名", (Heading("（一）得分"), SCORES)),
        ),
        appendices=appendices,
        issued_on=date(2019, 7, 15),
        footnotes=("计算批次2019-06-r1，输入摘要7d94813483834b71。", "未取得：碧澜开拓《金融精准扶贫贷款台账》。"),
        is_demo=is_demo,
    )


def table_with_text(*texts: str) -> Table:
    """A table whose cells are these texts, named by the first one."""
    rows: tuple[tuple[Cell, ...], ...] = tuple((text, Figure(-5, Form.COUNT)) for text in texts)
    return replace(SCORES, title=texts[0], columns=(TableColumn(texts[0]), TableColumn("变化", Form.COUNT)), rows=rows)
