"""Charts of pages: plain figures in, an SVG out that has the page's ground and colours of its own (docs/desk.md#pages).

The drawing engine takes two seconds to start and a tenth for each chart. What a run has found never changes, so what
was drawn is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from threading import Lock
from typing import Any, Final

from markupsafe import Markup

WIDTH: Final = 520
HEIGHT: Final = 200
"""Pixels of the area that is drawn in."""
_KEPT: Final = 256
"""Charts that are kept."""
_LEFT_OUT: Final = re.compile(r' (?:style|role|aria-[a-z]+)="[^"]*"')
"""The pages' policy lets no element be styled in place; and marks that are announced one by one have no names."""
_AS_ONE: Final = '<svg role="img" aria-label="图，各数见表"'
"""To a screen reader a chart is one picture: a table beside it says the same."""
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2, 1, 2], [12, 4])
"""Lines are told apart without colour."""
_drawing = Lock()
"""The engine draws one chart at a time."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, and a value for each place of the axis; None where there is none."""

    name: str
    points: Sequence[tuple[str, Decimal | int | None]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name and its length; None where it has none."""

    name: str
    value: Decimal | int | None


def start_engine() -> None:
    """Draw something, which takes seconds the first time."""
    bar_chart([Bar("", 0)], unit="")


def line_chart(series: Sequence[Series], *, unit: str, is_rank: bool = False) -> Markup:
    """Lines over months; nothing where fewer than two have values. A line is broken where it has none.

    Args:
        series: The lines.
        unit: Of the values, at the axis.
        is_rank: Whether they are places: the first is on top, and there are none between two.
    """
    points = tuple(
        (each.name, place, None if value is None else float(value)) for each in series for place, value in each.points
    )
    if len({place for _, place, value in points if value is not None}) < 2:
        return Markup()
    return _drawn("rank" if is_rank else "line", points, unit)


def bar_chart(bars: Sequence[Bar], *, unit: str) -> Markup:
    """Bars below one another, in the order given; nothing where there is none.

    Args:
        bars: Those without a length are left out.
        unit: Of the values, at the axis.
    """
    drawn = tuple((each.name, float(each.value)) for each in bars if each.value is not None)
    return _drawn("bar", drawn, unit) if drawn else Markup()


@lru_cache(maxsize=_KEPT)
def _drawn(form: str, points: tuple[tuple[Any, ...], ...], unit: str) -> Markup:
    # A second to import, and two to start the engine: only for the first chart.
    import altair as alt
    import vl_convert

    chart = _bars(alt, points, unit) if form == "bar" else _lines(alt, points, unit, is_rank=form == "rank")
    laid_out = (
        chart.configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            gridColor="#808080",
            gridOpacity=0.25,
            domainColor="#808080",
            tickColor="#808080",
            labelFontSize=12,
            titleFontSize=12,
            labelLimit=220,
        )
        .configure_legend(
            orient="top", title=None, labelFontSize=12, symbolType="stroke", symbolStrokeWidth=2, symbolSize=300
        )
    )
    with _drawing:
        svg = vl_convert.vegalite_to_svg(laid_out.to_dict())
    svg = _AS_ONE + _LEFT_OUT.sub("", svg[svg.index("<svg") :]).removeprefix("<svg")
    # Altair escapes the texts; of names nothing else reaches the drawing.
    return Markup(svg)  # noqa: S704


def _lines(alt: Any, points: tuple[tuple[Any, ...], ...], unit: str, *, is_rank: bool) -> Any:
    data = alt.Data(values=[{"line": line, "month": month, "value": value} for line, month, value in points])
    names = list(dict.fromkeys(line for line, _, _ in points))
    months = list(dict.fromkeys(month for _, month, _ in points))
    dashes = [_DASHES[number % len(_DASHES)] for number in range(len(names))]
    return (
        alt.Chart(data, width=WIDTH, height=HEIGHT)
        .mark_line(point={"size": 30, "filled": True}, strokeWidth=2)
        .encode(
            # Named, so that a month without any value keeps its place.
            x=alt.X(
                "month:N",
                title=None,
                scale=alt.Scale(domain=months),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(
                "value:Q",
                title=unit,
                scale=alt.Scale(zero=False, nice=True, reverse=is_rank),
                # Named one by one: with a least step of 1 Vega still writes 1.5 between the first and the second place.
                axis=alt.Axis(values=_places([value for _, _, value in points]), format="d") if is_rank else alt.Axis(),
            ),
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=names, scheme="category10"),
                legend=None if len(names) == 1 else alt.Legend(),
            ),
            strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=dashes), legend=None),
        )
    )


def _places(ranks: Sequence[float | None]) -> list[int]:
    """Those that are written at the axis, at most eight."""
    known = [int(each) for each in ranks if each is not None]
    return list(range(min(known), max(known) + 1, 1 + (max(known) - min(known)) // 8))


def _bars(alt: Any, points: tuple[tuple[Any, ...], ...], unit: str) -> Any:
    data = alt.Data(values=[{"name": name, "value": value} for name, value in points])
    return (
        alt.Chart(data, width=WIDTH, height={"step": 22})
        .mark_bar(color="#4a86c5", height=14)
        .encode(
            x=alt.X("value:Q", title=unit, axis=alt.Axis(labelFlush=False)),
            y=alt.Y("name:N", sort=[name for name, _ in points], title=None),
        )
    )
