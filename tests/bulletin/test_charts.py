from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from five_precisions.bulletin import charts
from five_precisions.display import Form
from tests.bulletin import sample

pytestmark = pytest.mark.slow

DRAWN: dict[str, tuple[Callable[[], str], list[str]]] = {
    "balances": (
        lambda: charts.balances(sample.balance_points(6)),
        [*sample.CATEGORIES, "1月", "6月", "2019年"],
    ),
    "balances of a year": (
        lambda: charts.balances(sample.balance_points(13)),
        [*sample.CATEGORIES, "2018年", "2019年"],
    ),
    "scores": (
        lambda: charts.stacks(sample.score_parts(12), Form.SCORE, longest=100),
        [*sample.BANKS, *sample.INDICATORS],
    ),
    "scores of forty banks": (
        lambda: charts.stacks(sample.score_parts(40), Form.SCORE, longest=100),
        [*sample.bank_names(40), *sample.INDICATORS],
    ),
    "pace": (
        lambda: charts.pace(sample.pace_rows(12), Decimal("0.5")),
        [*sample.BANKS, "时间进度 50.00%", "达到时间进度", "落后于时间进度"],
    ),
    "pace of forty banks": (
        lambda: charts.pace(sample.pace_rows(40), Decimal("0.5")),
        sample.bank_names(40),
    ),
    "visits": (
        lambda: charts.visits(sample.visit_rows()),
        [*sample.COUNTIES, "第一轮", "第二轮", "第三轮"],
    ),
    "league": (
        lambda: charts.league(sample.league_rows()),
        [f"{city}市" for city in sample.CITIES if city != "阳江"] + ["阳江市（本市）"],
    ),
}


def texts(svg: str) -> list[str]:
    """The texts of a drawing, lines apart."""
    found = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [line for text in found for line in text.itertext()]


@pytest.fixture(scope="module")
def drawings() -> dict[str, str]:
    return {name: draw() for name, (draw, _) in DRAWN.items()}


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_shows_each_label(drawings: dict[str, str], name: str) -> None:
    shown = texts(drawings[name])
    labels = DRAWN[name][1]
    assert labels
    assert [label for label in labels if label not in shown] == []


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_as_wide_as_the_text_small_and_alone(drawings: dict[str, str], name: str) -> None:
    svg = drawings[name]
    root = ET.fromstring(svg)
    assert root.get("width") == str(charts.WIDE)
    assert 0 < int(root.get("height", "0")) < 880  # 233 mm: one page
    assert len(svg.encode()) < 60_000
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "path", "text", "tspan", "line", "rect", "defs", "pattern", "circle"}
    references = [value for element in root.iter() for key, value in element.attrib.items() if "href" in key]
    assert references == []
    assert set(re.findall(r"url\(([^)]*)\)", svg)) <= {
        f"#{pattern.get('id')}" for pattern in root.iter() if pattern.get("id")
    }


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_leaves_the_drawing(drawings: dict[str, str], name: str) -> None:
    """Walks the groups, as positions are given within them; upright text takes up height, not width."""
    outside = []
    seen = 0

    def walk(element: ET.Element, left: float) -> None:
        nonlocal seen
        moved = re.search(r"translate\(([-\d.]+)", element.get("transform", ""))
        left += float(moved[1]) if moved else 0
        if element.tag.endswith("}text") and "rotate" not in element.get("transform", ""):
            size = float(element.get("font-size", "12px").removesuffix("px"))
            for line in element.itertext():
                width = sum(size if ord(character) > 0x2E7F else size * 0.56 for character in line)
                start = left - width * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
                seen += 1
                if start < 0 or start + width > charts.WIDE:
                    outside.append((line, round(start), round(start + width)))
        for child in element:
            walk(child, left)

    walk(ET.fromstring(drawings[name]), 0)
    assert seen > 5
    assert outside == []


def test_the_same_figures_draw_the_same(drawings: dict[str, str]) -> None:
    assert charts.league(sample.league_rows()) == drawings["league"]


def test_totals_stand_on_the_stacks_rounded_half_up() -> None:
    points = [
        charts.BalancePoint("2019-06", "产业", Decimal("1000.005")),
        charts.BalancePoint("2019-06", "个人经营", Decimal("234.5")),
    ]
    assert "1,234.51" in texts(charts.balances(points))


def test_a_banks_score_stands_at_the_end_of_its_bar() -> None:
    parts = [
        charts.Part("甲银行", "增速", Decimal("18.25")),
        charts.Part("甲银行", "完成", Decimal(40)),
        charts.Part("乙银行", "增速", Decimal(0)),
    ]
    shown = texts(charts.stacks(parts, Form.SCORE))
    assert {"58.25", "0.00"} <= set(shown)
    assert shown.index("甲银行") < shown.index("乙银行")


def test_pace_is_ordered_and_its_figures_are_exact() -> None:
    rows = [charts.PaceRow("慢银行", 1, 8), charts.PaceRow("快银行", 2_300, 2_000), charts.PaceRow("零银行", 0, 5)]
    shown = texts(charts.pace(rows, Decimal("0.25")))
    assert [name for name in shown if name.endswith("银行")] == ["快银行", "慢银行", "零银行"]
    assert {"115.00%", "12.50%", "0.00%", "时间进度 25.00%"} <= set(shown)


def test_league_is_ordered_and_only_the_own_city_is_dark() -> None:
    svg = charts.league(
        [
            charts.LeagueRow("甲市", Decimal(1), is_own=False),
            charts.LeagueRow("乙市", Decimal(3), is_own=True),
            charts.LeagueRow("丙市", Decimal(2), is_own=False),
        ]
    )
    assert [text for text in texts(svg) if "市" in text] == ["乙市（本市）", "丙市", "甲市"]
    assert svg.count(f'fill="{charts.DARK}"') == 1


def test_neighbours_in_a_stack_differ_without_colour(drawings: dict[str, str]) -> None:
    fills = re.findall(r'class="mark-symbol role-legend-symbol"><path[^>]* fill="([^"]+)"', drawings["scores"])
    assert len(fills) == len(sample.INDICATORS)
    assert len(set(fills)) == len(fills)
    plain = [not fill.startswith("url") for fill in fills]
    assert plain[:4] == [True, False, True, False]


def test_what_a_label_says_stays_as_it_is() -> None:
    name = '1.23456 <甲> & "乙" opacity="1"'
    assert name in texts(charts.league([charts.LeagueRow(name, Decimal(1), is_own=False)]))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.balances([]),
        lambda: charts.stacks([], Form.SCORE),
        lambda: charts.pace([], Decimal("0.5")),
        lambda: charts.visits([]),
        lambda: charts.league([]),
    ],
)
def test_a_chart_of_nothing_is_refused(draw: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match="leave it out"):
        draw()


def test_a_bank_without_target_has_no_pace() -> None:
    with pytest.raises(ValueError, match="without a target"):
        charts.pace([charts.PaceRow("甲银行", 1, 0)], Decimal("0.5"))


def test_figures_of_zero_draw() -> None:
    assert "0.00" in texts(charts.balances([charts.BalancePoint("2019-06", "产业", Decimal(0))]))
    assert "0.00" in texts(charts.league([charts.LeagueRow("甲市", Decimal(0), is_own=True)]))
    assert "0.00%" in texts(charts.pace([charts.PaceRow("甲银行", 0, 3)], Decimal(0)))
