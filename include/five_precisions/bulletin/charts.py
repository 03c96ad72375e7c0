"""The bulletin's charts: plain figures in, an SVG drawing out (spec/05, Bulletin).

Every chart is read in black and white: what differs, differs by pattern, and the figures stand beside the bars. Text
stays text, set in a font that the PDF embeds; it can be selected there and found. In an HTML page it falls back on the
reader's own Chinese font, which fits, since Chinese characters are equally wide in all of them.

Altair takes about a second to import and the drawing engine two to start, so both wait for the first chart. The engine
runs threads: a process that forks must not have drawn before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from five_precisions.bulletin.fonts import SANS, font_folder
from five_precisions.display import Form, shown

if TYPE_CHECKING:
    import altair as alt

WIDTH = 567
"""150 mm, the width of the text, in the 96 pixels an inch of SVG."""
FONTS = f"{SANS}, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
INK = "#222222"
DARK = "#1f3a5f"
_MEDIUM = "#8a9bb0"
_PALE = "#d5dce5"
_HUNDRED = Decimal(100)
_AXIS_HEIGHT = 48
"""Pixels below the bars: tick labels and the axis title."""

# Told apart without colour: dark and light take turns, so that neighbours in a stack differ most. Plain fills are plain
# colours: a pattern without gaps would show its seams.
_PATTERNS = {
    "fp-rising": f'<path d="M-2,2L2,-2M0,8L8,0M6,10L10,6" stroke="{DARK}" stroke-width="1.6"/>',
    "fp-dots": f'<circle cx="2" cy="2" r="1.1" fill="{DARK}"/><circle cx="6" cy="6" r="1.1" fill="{DARK}"/>',
    "fp-falling": f'<path d="M-2,6L2,10M0,0L8,8M6,-2L10,2" stroke="{DARK}" stroke-width="3"/>',
    "fp-level": f'<path d="M0,2H8M0,6H8" stroke="{DARK}" stroke-width="1.2"/>',
    "fp-grid": f'<path d="M0,4H8M4,0V8" stroke="{DARK}" stroke-width="1.6"/>',
}
_FILLS = (
    DARK,
    "url(#fp-rising)",
    _MEDIUM,
    "url(#fp-dots)",
    "url(#fp-falling)",
    _PALE,
    "url(#fp-grid)",
    "url(#fp-level)",
    "#ffffff",
)


@dataclass(frozen=True, slots=True)
class BalancePoint:
    """The balance of a category of loans at the end of a month."""

    period: str
    """`2019-01`."""
    category: str
    amount: Decimal
    """万元."""


@dataclass(frozen=True, slots=True)
class ScorePart:
    """What an indicator contributes to a bank's score."""

    bank: str
    indicator: str
    points: Decimal
    """Points times weight: a bank's parts add up to its score."""


@dataclass(frozen=True, slots=True)
class PaceRow:
    """How far a bank is with its target of the year."""

    bank: str
    reached: int
    target: int


@dataclass(frozen=True, slots=True)
class VisitRow:
    """How many of a county's households a round of visits has reached."""

    county: str
    round: str
    coverage: Decimal
    """Percent."""


@dataclass(frozen=True, slots=True)
class LeagueRow:
    """A city of the province."""

    city: str
    amount: Decimal
    """万元."""
    is_own: bool


def balances(points: Sequence[BalancePoint]) -> str:
    """Stacked bars by month, categories from the bottom in the order given, totals on top.

    Raises:
        ValueError: there are no points; the caller leaves the chart out then.
    """
    import altair as alt

    _require(points)
    categories = _in_order(point.category for point in points)
    periods = sorted({point.period for point in points})
    labels = [_month(period, first=number == 0) for number, period in enumerate(periods)]
    label_of = dict(zip(periods, labels, strict=True))
    bars = [
        {
            "month": label_of[point.period],
            "category": point.category,
            "order": categories.index(point.category),
            "amount": float(point.amount),
        }
        for point in points
    ]
    totals = {period: sum((p.amount for p in points if p.period == period), Decimal(0)) for period in periods}
    sums = [
        {"month": label_of[period], "amount": float(value), "text": shown(value)} for period, value in totals.items()
    ]
    highest = float(max(totals.values()))
    # Beyond eight months the totals no longer fit side by side and stand upright.
    upright = len(periods) > 8
    x = alt.X("month:N", sort=labels, title=None, axis=alt.Axis(labelAngle=0, domain=True))
    scale = alt.Scale(domainMin=0, domainMax=highest * (1.28 if upright else 1.1) or 1, nice=False)
    y = alt.Y("amount:Q", title="余额（万元）", stack="zero", scale=scale, axis=_axis(_ticks(highest)))
    fill = alt.Fill(
        "category:N",
        sort=categories,
        scale=_scale(categories),
        legend=_legend(categories),
    )
    stack = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(stroke=INK, strokeWidth=0.6, width=alt.RelativeBandSize(band=0.62))
        .encode(x=x, y=y, fill=fill, order="order:Q")
    )
    offset = {"angle": 270, "align": "left", "baseline": "middle", "dx": 5} if upright else {"dy": -8}
    text = (
        alt.Chart(alt.InlineData(values=sums))
        .mark_text(fontSize=11, **offset)
        .encode(x=x, y=alt.Y("amount:Q"), text="text:N")
    )
    return _drawn(stack, text, height=200)


def scores(parts: Sequence[ScorePart]) -> str:
    """Horizontal stacked bars: a bank a bar, in the order given, its indicators in theirs, the score at the end.

    Raises:
        ValueError: there are no parts; the caller leaves the chart out then.
    """
    import altair as alt

    _require(parts)
    banks = _in_order(part.bank for part in parts)
    indicators = _in_order(part.indicator for part in parts)
    bars = [
        {
            "bank": part.bank,
            "indicator": part.indicator,
            "order": indicators.index(part.indicator),
            "points": float(part.points),
        }
        for part in parts
    ]
    totals = {bank: sum((part.points for part in parts if part.bank == bank), Decimal(0)) for bank in banks}
    sums = [{"bank": bank, "points": float(value), "text": shown(value, Form.SCORE)} for bank, value in totals.items()]
    y = alt.Y("bank:N", sort=banks, title=None)
    scale = alt.Scale(domain=[0, 100 * _stretch(["100.00"], banks)], nice=False)
    x = alt.X("points:Q", title="得分（分）", scale=scale, axis=_axis(_ticks(100.0)))
    legend = _legend(indicators, beside=banks)
    fill = alt.Fill("indicator:N", sort=indicators, scale=_scale(indicators), legend=legend)
    stack = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(stroke=INK, strokeWidth=0.6, height=alt.RelativeBandSize(band=0.66))
        .encode(x=x.stack("zero"), y=y, fill=fill, order="order:Q")
    )
    text = _end_labels(alt.Chart(alt.InlineData(values=sums)), x="points:Q", y=y)
    return _drawn(stack, text, height=_rows_height(len(banks)) + _legend_height(legend, indicators))


def pace(rows: Sequence[PaceRow], time_share: Decimal) -> str:
    """Bars of what is reached of the year's target, furthest first, against the share of the year that has passed.

    Args:
        rows: the banks that have a target.
        time_share: 0 to 1: half a year is 0.5.

    Raises:
        ValueError: there are no rows, or one has no target; the caller leaves out the chart, or the bank.
    """
    import altair as alt

    _require(rows)
    if any(row.target <= 0 for row in rows):
        raise ValueError("A bank without a target has no pace and is left out of the chart.")
    passed = time_share * _HUNDRED
    ahead, behind = "达到时间进度", "落后于时间进度"
    states = [ahead, behind]
    share_of = {row.bank: Decimal(row.reached) / row.target * _HUNDRED for row in rows}
    values = [
        {
            "bank": row.bank,
            "share": float(share_of[row.bank]),
            "state": ahead if share_of[row.bank] >= passed else behind,
            "text": f"{shown(share_of[row.bank], Form.PERCENT)}%"
            f"（{shown(row.reached, Form.COUNT)}/{shown(row.target, Form.COUNT)}户）",
        }
        for row in sorted(rows, key=lambda row: -share_of[row.bank])
    ]
    banks = [str(value["bank"]) for value in values]
    y = alt.Y("bank:N", sort=banks, title=None)
    longest = max(*(float(share) for share in share_of.values()), float(passed), 1.0)
    # The figures stand in a column of their own at the right, where the line of the year cannot cross them.
    stretch = _stretch([str(value["text"]) for value in values], banks)
    scale = alt.Scale(domain=[0, longest * stretch], nice=False)
    x = alt.X("share:Q", title="完成全年目标（%）", scale=scale, axis=_axis(_ticks(longest)))
    legend = _legend(states, beside=banks, offset=26)
    chart = alt.Chart(alt.InlineData(values=values))
    bars = chart.mark_bar(stroke=INK, strokeWidth=0.6, height=alt.RelativeBandSize(band=0.62)).encode(
        x=x,
        y=y,
        fill=alt.Fill(
            "state:N", sort=states, scale=alt.Scale(domain=states, range=[DARK, "url(#fp-rising)"]), legend=legend
        ),
    )
    figures = chart.mark_text(align="right", baseline="middle", fontSize=11).encode(
        x=alt.value("width"), y=y, text="text:N"
    )
    mark = alt.Chart(
        alt.InlineData(values=[{"share": float(passed), "text": f"时间进度 {shown(passed, Form.PERCENT)}%"}])
    )
    # White beside the dashes, so that the line shows on dark bars too.
    ground = mark.mark_rule(strokeWidth=3, color="#ffffff").encode(x="share:Q")
    line = mark.mark_rule(strokeDash=[5, 3], strokeWidth=1.6, color=INK).encode(x="share:Q")
    name = mark.mark_text(baseline="bottom", dy=-3, fontSize=11).encode(x="share:Q", y=alt.value(0), text="text:N")
    height = _rows_height(len(rows)) + _legend_height(legend, states) + 18
    return _drawn(bars, ground, line, figures, name, height=height)


def visits(rows: Sequence[VisitRow]) -> str:
    """Horizontal bars in groups: a county a group, a round a bar, both in the order given.

    Raises:
        ValueError: there are no rows; the caller leaves the chart out then.
    """
    import altair as alt

    _require(rows)
    counties = _in_order(row.county for row in rows)
    rounds = _in_order(row.round for row in rows)
    values = [
        {
            "county": row.county,
            "round": row.round,
            "coverage": float(row.coverage),
            "text": shown(row.coverage, Form.PERCENT),
        }
        for row in rows
    ]
    y = alt.Y("county:N", sort=counties, title=None, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.14))
    offset = alt.YOffset("round:N", sort=rounds, scale=alt.Scale(paddingInner=0.16))
    x = alt.X(
        "coverage:Q",
        title="走访覆盖率（%）",
        scale=alt.Scale(domain=[0, 100 * _stretch(["100.00"], counties)], nice=False),
        axis=_axis(_ticks(100.0)),
    )
    legend = _legend(rounds, beside=counties)
    chart = alt.Chart(alt.InlineData(values=values))
    bars = chart.mark_bar(stroke=INK, strokeWidth=0.6).encode(
        x=x,
        y=y,
        yOffset=offset,
        fill=alt.Fill("round:N", sort=rounds, scale=_scale(rounds), legend=legend),
    )
    text = _end_labels(chart, x="coverage:Q", y=y).encode(yOffset=offset)
    height = max(60, len(counties) * (len(rounds) * 18 + 8)) + _AXIS_HEIGHT + _legend_height(legend, rounds)
    return _drawn(bars, text, height=height)


def league(rows: Sequence[LeagueRow]) -> str:
    """Horizontal bars of the province's cities, the largest first; the own city is dark and says so.

    Raises:
        ValueError: there are no rows; the caller leaves the chart out then.
    """
    import altair as alt

    _require(rows)
    ordered = sorted(rows, key=lambda row: -row.amount)
    values = [
        {
            "city": f"{row.city}（本市）" if row.is_own else row.city,
            "amount": float(row.amount),
            "text": shown(row.amount),
            "fill": DARK if row.is_own else _PALE,
        }
        for row in ordered
    ]
    cities = [str(value["city"]) for value in values]
    stretch = _stretch([str(value["text"]) for value in values], cities)
    y = alt.Y("city:N", sort=cities, title=None)
    longest = max(float(ordered[0].amount), 0.0) or 1.0
    x = alt.X(
        "amount:Q",
        title="发放额（万元）",
        scale=alt.Scale(domain=[0, longest * stretch], nice=False),
        axis=_axis(_ticks(longest)),
    )
    chart = alt.Chart(alt.InlineData(values=values))
    bars = chart.mark_bar(stroke=INK, strokeWidth=0.6, height=alt.RelativeBandSize(band=0.66)).encode(
        x=x, y=y, fill=alt.Fill("fill:N", scale=None, legend=None)
    )
    text = _end_labels(chart, x="amount:Q", y=y)
    return _drawn(bars, text, height=_rows_height(len(rows)))


def _require(given: Sequence[object]) -> None:
    if not given:
        raise ValueError("A chart of nothing is not drawn: leave it out of the bulletin.")


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _month(period: str, *, first: bool) -> str:
    """A month below its bar; the year below the first month and below each January."""
    year, month = period.split("-")
    name = f"{int(month)}月"
    return f"{name}\n{year}年" if first or month == "01" else name


def _rows_height(rows: int) -> int:
    """Room for so many bars and their axis: 18 pixels a bar; beyond twenty bars, 15, so that forty stay on a page."""
    return max(60, rows * (18 if rows <= 20 else 15)) + _AXIS_HEIGHT


def _scale(names: Sequence[str]) -> alt.Scale:
    import altair as alt

    # More names than patterns begin anew; the bulletin has no chart with as many.
    return alt.Scale(domain=list(names), range=[_FILLS[number % len(_FILLS)] for number in range(len(names))])


def _text_width(text: str) -> int:
    """About how wide a text is at the size of labels: a Chinese character is a square, others are half as wide."""
    return sum(12 if ord(character) > 0x2E7F else 7 for character in text)


def _stretch(figures: Sequence[str], labels: Sequence[str]) -> float:
    """How much further than the longest bar the scale reaches, so that its figure has room behind it."""
    room = WIDTH - 20 - max(map(_text_width, labels))
    return room / max(1, room - max(map(_text_width, figures)) - 8)


def _legend(names: Sequence[str], *, beside: Sequence[str] = (), offset: int = 8) -> alt.Legend:
    """A legend above the bars, in as many rows as its names need next to the labels of the bars."""
    import altair as alt

    room = WIDTH - 30 - max(map(_text_width, beside), default=50)
    widest = max(map(_text_width, names)) + 34
    columns = max(1, min(len(names), room // widest))
    columns = -(-len(names) // -(-len(names) // columns))  # rows of equal length
    return alt.Legend(
        title=None, orient="top", direction="horizontal", columns=columns, symbolStrokeWidth=0.6, offset=offset
    )


def _legend_height(legend: alt.Legend, names: Sequence[str]) -> int:
    return 18 * -(-len(names) // int(legend.columns)) + 8


def _ticks(longest: float) -> list[float]:
    """Round numbers from zero up to the longest bar, four to eight of them: none where only labels stand."""
    step = 10.0 ** math.floor(math.log10(longest / 4)) if longest > 0 else 1.0
    step *= next(factor for factor in (5, 2, 1) if longest / (step * factor) >= 4 or factor == 1)
    return [step * number for number in range(math.floor(longest / step + 1e-9) + 1)]


def _axis(ticks: Sequence[float]) -> alt.Axis:
    import altair as alt

    return alt.Axis(values=list(ticks), format=",.0f" if all(tick == int(tick) for tick in ticks) else ",~g")


def _end_labels(chart: alt.Chart, *, x: str, y: alt.Y) -> alt.Chart:
    """The figures behind the ends of horizontal bars."""
    text: alt.Chart = chart.mark_text(align="left", baseline="middle", dx=5, fontSize=11).encode(
        x=x, y=y, text="text:N"
    )
    return text


@cache
def _engine() -> Any:
    """The drawing engine, with our fonts for measuring text: registered once, as it keeps them for the process."""
    import vl_convert

    vl_convert.register_font_directory(str(font_folder()))
    return vl_convert


def _drawn(*layers: alt.Chart, height: int) -> str:
    """The layers, the lowest first, as an SVG of the text's width and this height in all."""
    import altair as alt

    chart = alt.LayerChart(
        layer=list(layers),
        width=WIDTH,
        height=height,
        background="transparent",
        padding=4,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    chart = (
        chart.configure(font=FONTS, lineBreak="\n", aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelLimit=400,
            labelPadding=5,
            domainColor=INK,
            tickColor=INK,
            grid=False,
        )
        .configure_axisY(ticks=False, domain=False)
        .configure_legend(labelColor=INK, labelFontSize=12, symbolType="square", symbolSize=150, symbolStrokeColor=INK)
        .configure_text(color=INK, fontSize=11)
    )
    svg: str = _engine().vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return _with_patterns(_lean(svg))


def _lean(svg: str) -> str:
    """The drawing without what says nothing: half its size, as the font was named at every single text."""
    named = f' font-family="{FONTS}"'
    idle = r' (?:opacity="1"|font-weight="normal"|pointer-events="none"|aria-[a-z]+="[^"]*"|role="[^"]*")'

    def lean(tag: re.Match[str]) -> str:
        kept = re.sub(idle, "", tag[0].replace(named, ""))
        return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", kept)

    svg = re.sub(r"<[^>]+>", lean, svg)  # tags only: what a label says stays as it is
    svg = re.sub(r'<path class="(?:fore|back)ground"[^>]*/>', "", svg)
    return svg.replace("<svg", f"<svg{named}", 1)


def _with_patterns(svg: str) -> str:
    """The drawing with the patterns that it uses."""
    drawn = "".join(
        f'<pattern id="{name}" patternUnits="userSpaceOnUse" width="8" height="8">{look}</pattern>'
        for name, look in _PATTERNS.items()
        if f"url(#{name})" in svg
    )
    return re.sub(r"(<svg[^>]*>)", rf"\1<defs>{drawn}</defs>", svg, count=1) if drawn else svg
