"""The bulletin's charts: plain figures in, an SVG drawing out (docs/outputs.md#bulletin).

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
from typing import TYPE_CHECKING, Any, Literal

from five_precisions.bulletin.fonts import SANS, font_folder
from five_precisions.display import Form, shown

if TYPE_CHECKING:
    import altair as alt

WIDE = 590
"""The width of the text, 156 mm, in the 96 pixels an inch of SVG: charts are printed as large as they are drawn."""
NARROW = 215
"""57 mm: room for a chart beside its table."""
FONTS = f"{SANS}, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
INK = "#222222"
DARK = "#1f3a5f"
_MEDIUM = "#8a9bb0"
_PALE = "#d5dce5"
_HUNDRED = Decimal(100)
_LABEL, _FIGURE = 11.5, 11
"""Pixels of a letter of what is named, and of a figure: 8.6 and 8.25 points on paper."""
_FEET = 12
"""Pixels above and below the bars in all; no axis stands there, as each bar says its figure."""
_LONGEST_BESIDE = 120
"""Pixels of the longest name that leaves room for bars in a narrow chart."""
_MOST_BESIDE = 24
"""Bars of a narrow chart at the most: a longer table than that is parted over pages, and nothing stands beside it."""

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
class Part:
    """What one kind contributes to a subject's bar: an indicator to a bank's score, matched ones to projects."""

    subject: str
    kind: str
    size: Decimal | int
    """A bar's parts add up to the figure at its end."""


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
    scale = alt.Scale(domainMin=0, domainMax=highest * (1.4 if upright else 1.14) or 1, nice=False)
    y = alt.Y("amount:Q", title=None, stack="zero", scale=scale, axis=_axis(_ticks(highest)))
    fill = alt.Fill(
        "category:N",
        sort=categories,
        scale=_scale(categories),
        legend=_legend(categories, WIDE),
    )
    stack = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(stroke=INK, strokeWidth=0.6, width=alt.RelativeBandSize(band=0.5))
        .encode(x=x, y=y, fill=fill, order="order:Q")
    )
    offset = {"angle": 270, "align": "left", "baseline": "middle", "dx": 5} if upright else {"dy": -8}
    text = alt.Chart(alt.InlineData(values=sums)).mark_text(**offset).encode(x=x, y=alt.Y("amount:Q"), text="text:N")
    return _drawn(stack, text, width=WIDE, height=190 if upright else 160)


def stacks(parts: Sequence[Part], form: Form, *, width: int = WIDE, longest: Decimal | int | None = None) -> str:
    """Horizontal stacked bars: a subject a bar, in the order given, its parts in theirs, the sum at the end.

    Args:
        parts: of all bars; a single kind gives plain bars without a legend.
        form: how a sum is shown.
        width: of the drawing, in pixels.
        longest: what the scale holds, if that is more than the longest bar.

    Raises:
        ValueError: there are no parts; the caller leaves the chart out then.
    """
    import altair as alt

    _require(parts)
    subjects = _in_order(part.subject for part in parts)
    kinds = _in_order(part.kind for part in parts)
    bars = [
        {"subject": part.subject, "kind": part.kind, "order": kinds.index(part.kind), "size": float(part.size)}
        for part in parts
    ]
    sums = {name: sum((Decimal(part.size) for part in parts if part.subject == name), Decimal(0)) for name in subjects}
    figures = {name: shown(value, form) for name, value in sums.items()}
    furthest = float(max(*sums.values(), Decimal(longest or 0)) or 1)
    x = _lengths("size:Q", furthest, list(figures.values()), subjects, width)
    y = _names("subject:N", subjects)
    legend = _legend(kinds, width, beside=subjects) if len(kinds) > 1 else None
    fill = alt.Fill("kind:N", sort=kinds, scale=_scale(kinds), legend=legend)
    stack = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(stroke=INK, strokeWidth=0.6, height=alt.RelativeBandSize(band=0.68))
        .encode(x=x.stack("zero"), y=y, fill=fill, order="order:Q")
    )
    values = [{"subject": name, "size": float(sums[name]), "text": figures[name]} for name in subjects]
    text = _end_labels(alt.Chart(alt.InlineData(values=values)), x=alt.X("size:Q"), y=y)
    return _drawn(stack, text, width=width, height=_rows_height(len(subjects)) + _legend_height(legend, kinds))


def pace(rows: Sequence[PaceRow], time_share: Decimal, *, width: int = WIDE) -> str:
    """Bars of what is reached of the year's target, furthest first, against the share of the year that has passed.

    Args:
        rows: the banks that have a target.
        time_share: 0 to 1: half a year is 0.5.
        width: of the drawing, in pixels.

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
            "text": f"{shown(share_of[row.bank], Form.PERCENT)}%",
        }
        for row in sorted(rows, key=lambda row: -share_of[row.bank])
    ]
    banks = [str(value["bank"]) for value in values]
    y = _names("bank:N", banks)
    furthest = max(*(float(share) for share in share_of.values()), float(passed), 1.0)
    # The figures stand in a column of their own at the right, where the line of the year cannot cross them.
    x = _lengths("share:Q", furthest, [str(value["text"]) for value in values], banks, width)
    legend = _legend(states, width, beside=banks, offset=24)
    chart = alt.Chart(alt.InlineData(values=values))
    bars = chart.mark_bar(stroke=INK, strokeWidth=0.6, height=alt.RelativeBandSize(band=0.62)).encode(
        x=x,
        y=y,
        fill=alt.Fill(
            "state:N", sort=states, scale=alt.Scale(domain=states, range=[DARK, "url(#fp-rising)"]), legend=legend
        ),
    )
    figures = chart.mark_text(align="right", baseline="middle").encode(x=alt.value("width"), y=y, text="text:N")
    mark = alt.Chart(
        alt.InlineData(values=[{"share": float(passed), "text": f"时间进度 {shown(passed, Form.PERCENT)}%"}])
    )
    # White beside the dashes, so that the line shows on dark bars too.
    ground = mark.mark_rule(strokeWidth=3, color="#ffffff").encode(x="share:Q")
    line = mark.mark_rule(strokeDash=[5, 3], strokeWidth=1.6, color=INK).encode(x="share:Q")
    # At the beginning of the year its name would stand out at the left, at its end at the right.
    side: Literal["left", "center", "right"] = "left" if passed < 20 else "right" if passed > 80 else "center"
    name = mark.mark_text(baseline="bottom", dy=-3, align=side).encode(x="share:Q", y=alt.value(0), text="text:N")
    height = _rows_height(len(rows)) + _legend_height(legend, states) + 16
    return _drawn(bars, ground, line, figures, name, width=width, height=height)


def visits(rows: Sequence[VisitRow], *, width: int = WIDE) -> str:
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
    spacing = alt.Scale(paddingInner=0.28 if len(rounds) > 1 else 0.38, paddingOuter=0.14)
    y = _names("county:N", counties).scale(spacing)
    offset = alt.YOffset("round:N", sort=rounds, scale=alt.Scale(paddingInner=0.16))
    x = _lengths("coverage:Q", 100.0, ["100.00"], counties, width)
    legend = _legend(rounds, width, beside=counties) if len(rounds) > 1 else None
    chart = alt.Chart(alt.InlineData(values=values))
    bars = chart.mark_bar(stroke=INK, strokeWidth=0.6).encode(
        x=x,
        y=y,
        yOffset=offset,
        fill=alt.Fill("round:N", sort=rounds, scale=_scale(rounds), legend=legend),
    )
    text = _end_labels(chart, x=alt.X("coverage:Q"), y=y).encode(yOffset=offset)
    height = len(counties) * (len(rounds) * 13 + 6) + _FEET + _legend_height(legend, rounds)
    return _drawn(bars, text, width=width, height=height)


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
    y = _names("city:N", cities)
    longest = max(float(ordered[0].amount), 0.0) or 1.0
    x = _lengths("amount:Q", longest, [str(value["text"]) for value in values], cities, WIDE)
    chart = alt.Chart(alt.InlineData(values=values))
    bars = chart.mark_bar(stroke=INK, strokeWidth=0.6, height=alt.RelativeBandSize(band=0.68)).encode(
        x=x, y=y, fill=alt.Fill("fill:N", scale=None, legend=None)
    )
    text = _end_labels(chart, x=alt.X("amount:Q"), y=y)
    return _drawn(bars, text, width=WIDE, height=_rows_height(len(rows)))


def width_beside(names: Sequence[str]) -> int:
    """How wide a chart with bars of these names is that is to stand beside its table: narrow, if they allow it."""
    short = max(map(_text_width, names), default=0) <= _LONGEST_BESIDE
    return NARROW if short and len(names) <= _MOST_BESIDE else WIDE


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
    """Room for so many bars: 14 pixels a bar; beyond twenty bars, 12.5, so that forty stay on a page with others."""
    return round(rows * (14 if rows <= 20 else 12.5)) + _FEET


def _scale(names: Sequence[str]) -> alt.Scale:
    import altair as alt

    # More names than patterns begin anew; the bulletin has no chart with as many.
    return alt.Scale(domain=list(names), range=[_FILLS[number % len(_FILLS)] for number in range(len(names))])


def _text_width(text: str) -> int:
    """About how wide a text is at the size of labels: a Chinese character is a square, others are half as wide."""
    return sum(12 if ord(character) > 0x2E7F else 7 for character in text)


def _names(field: str, names: Sequence[str]) -> alt.Y:
    """The names of horizontal bars, from the top, with a line where the bars begin."""
    import altair as alt

    return alt.Y(field, sort=list(names), title=None, axis=alt.Axis(domain=True))


def _lengths(field: str, longest: float, figures: Sequence[str], names: Sequence[str], width: int) -> alt.X:
    """How long the bars are: the scale reaches further than the longest, so that its figure has room behind it."""
    import altair as alt

    room = width - 20 - max(map(_text_width, names))
    stretch = room / max(1, room - max(map(_text_width, figures)) - 8)
    return alt.X(field, title=None, axis=None, scale=alt.Scale(domain=[0, longest * stretch], nice=False))


def _legend(names: Sequence[str], width: int, *, beside: Sequence[str] = (), offset: int = 6) -> alt.Legend:
    """A legend above the bars, in as many rows as its names need next to the labels of the bars."""
    import altair as alt

    room = width - 30 - max(map(_text_width, beside), default=50)
    widest = max(map(_text_width, names)) + 30
    columns = max(1, min(len(names), room // widest))
    columns = -(-len(names) // -(-len(names) // columns))  # rows of equal length
    return alt.Legend(
        title=None, orient="top", direction="horizontal", columns=columns, symbolStrokeWidth=0.6, offset=offset
    )


def _legend_height(legend: alt.Legend | None, names: Sequence[str]) -> int:
    return 0 if legend is None else 17 * -(-len(names) // int(legend.columns)) + 8


def _ticks(longest: float) -> list[float]:
    """Round numbers from zero up to the longest bar, four to eight of them: none where only labels stand."""
    step = 10.0 ** math.floor(math.log10(longest / 4)) if longest > 0 else 1.0
    step *= next(factor for factor in (5, 2, 1) if longest / (step * factor) >= 4 or factor == 1)
    return [step * number for number in range(math.floor(longest / step + 1e-9) + 1)]


def _axis(ticks: Sequence[float]) -> alt.Axis:
    import altair as alt

    return alt.Axis(values=list(ticks), format=",.0f" if all(tick == int(tick) for tick in ticks) else ",~g")


def _end_labels(chart: alt.Chart, *, x: alt.X, y: alt.Y) -> alt.Chart:
    """The figures behind the ends of horizontal bars."""
    text: alt.Chart = chart.mark_text(align="left", baseline="middle", dx=4).encode(x=x, y=y, text="text:N")
    return text


@cache
def _engine() -> Any:
    """The drawing engine, with our fonts for measuring text: registered once, as it keeps them for the process."""
    import vl_convert

    vl_convert.register_font_directory(str(font_folder()))
    return vl_convert


def _drawn(*layers: alt.Chart, width: int, height: int) -> str:
    """The layers, the lowest first, as an SVG of this width and height in all."""
    import altair as alt

    chart = alt.LayerChart(
        layer=list(layers),
        width=width,
        height=height,
        background="transparent",
        padding=3,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    chart = (
        chart.configure(font=FONTS, lineBreak="\n", aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            labelFontSize=_LABEL,
            labelLimit=400,
            labelPadding=5,
            domainColor=INK,
            tickColor=INK,
            grid=False,
        )
        .configure_axisY(ticks=False)
        .configure_legend(
            labelColor=INK, labelFontSize=_LABEL, symbolType="square", symbolSize=120, symbolStrokeColor=INK
        )
        .configure_text(color=INK, fontSize=_FIGURE)
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
