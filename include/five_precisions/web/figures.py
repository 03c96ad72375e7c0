"""The pages of figures: every metric of a month, and one metric by subject and by month (docs/desk.md#pages)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Row

from five_precisions.display import Form, form_of
from five_precisions.period import Period
from five_precisions.reference import Catalogue, Metric, Scope, load_catalogue
from five_precisions.warehouse import load_statement
from five_precisions.web.access import ASSESSMENT, sees_runs
from five_precisions.web.assessed import proof_href
from five_precisions.web.charts import Bar, Series, bar_chart, line_chart
from five_precisions.web.desk import MONTHS, NOTHING_ASSESSED, AtDesk, Desk, months_until
from five_precisions.web.figure_words import (
    GOOD_WORDS,
    LEFT_OUT_WORDS,
    SCOPE_WORDS,
    Shown,
    change_of,
    change_unit,
    counts_households,
    find_metric,
    find_scope,
    find_subject,
    not_assessed,
    part_form,
    read_runs,
    read_subjects,
    shown_figure,
    value_cell,
)
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.tables import Cell, Column, Table, Value

_LOOKED_BACK: Final = (6, MONTHS, 24, 36)
"""How many a page can show."""
_MOST_BARS: Final = 60
"""Subjects that a chart still shows legibly."""
_GROUPS: Final = {
    "facts/loans": ("loans", "扶贫贷款"),
    "facts/position": ("position", "信贷总量与再贷款"),
    "facts/matching": ("matching", "精准对接"),
    "facts/matching_of_banks": ("matching", "精准对接"),
    "facts/visits": ("visits", "精准走访"),
    "facts/visits_of_month": ("visits", "精准走访"),
    "facts/visits_delivered": ("visits", "精准走访"),
    "facts/wanting": ("visits", "精准走访"),
    "facts/scores": ("scores", "评级授信"),
    "facts/outreach": ("outreach", "精准宣传"),
    "facts/funds": ("funds", "担保贴息资金"),
    "metrics/league": ("league", "全省位次"),
    "facts/reporting": ("reporting", "报送质量"),
    "metrics/completion": ("completion", "目标完成"),
}
"""Groups of metrics by the fact or statement that gives them: their names in addresses, and what they are called."""
_OTHERS: Final = ("others", "其他指标")
"""Metrics that an installation has added."""

router = APIRouter(prefix="/figures", dependencies=[sees_runs(ASSESSMENT)])


# All metrics


@router.get("")
def show_catalogue(desk: AtDesk) -> Response:
    """Every metric with its value of the city, group by group."""
    catalogue = load_catalogue(desk.settings)
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            return desk.answer("figures.html", page="figures", title="指标", empty=NOTHING_ASSESSED)
        runs = read_runs(connection, period)
        asked = {"run_id": runs.run_id, "run_before": runs.run_before, "metrics": list(catalogue.metrics)}
        found = connection.execute(load_statement("web/figures_of_city"), asked).all()
        city = read_subjects(connection, runs, next(iter(catalogue.metrics)), Scope.CITY)[0].code
    figures = {row.metric: row for row in found}
    groups: dict[tuple[str, str], list[list[Cell]]] = defaultdict(list)
    for code, metric in catalogue.metrics.items():
        row = _catalogue_row(desk, code, metric, figures.get(code), period, city)
        groups[_GROUPS.get(metric.sql[0], _OTHERS)].append(row)
    tables = [_catalogue_table(name, words, rows) for (name, words), rows in groups.items()]
    whole = _catalogue_table("metrics", "全部指标", [row for rows in groups.values() for row in rows])
    return desk.answer(
        "figures.html",
        page="figures",
        title="指标",
        tables=[*tables, whole],
        period=period,
        periods=periods,
        groups=tables,
        whole=whole,
    )


def _catalogue_row(
    desk: Desk, code: str, metric: Metric, figure: Row[Any] | None, period: Period, city: str
) -> list[Cell]:
    of_city = Scope.CITY in metric.scopes
    now = Shown(None if figure is None else figure.value)
    before = Shown(None if figure is None else figure.value_before)
    months = desk.href(f"figures/{code}", period=period)
    proof = proof_href(desk, code, Scope.CITY, city, period) if of_city else None
    return [
        Cell(value=metric.name, href=months, is_head=True),
        value_cell(metric, now.value, proof),
        Cell(value=metric.unit),
        value_cell(metric, change_of(now, before), f"{months}#months" if of_city else None),
        Cell(value="、".join(SCOPE_WORDS[each] for each in metric.scopes)),
        Cell(value=GOOD_WORDS[metric.good]),
        Cell(value=metric.formula),
    ]


def _catalogue_table(name: str, title: str, rows: list[list[Cell]]) -> Table:
    return Table(
        name=name,
        title=title,
        columns=[
            Column("metric", "指标"),
            Column("value", "全市", Form.AMOUNT),
            Column("unit", "单位"),
            Column("change", "比上月", Form.AMOUNT),
            Column("scopes", "层级"),
            Column("good", "方向"),
            Column("formula", "公式"),
        ],
        rows=rows,
        empty="指标目录里没有指标。",
    )


# One metric


@router.get("/{code_of_metric}")
def show_metric(desk: AtDesk, code_of_metric: str, scope: str = "", code: str = "", months: str = "") -> Response:
    """A metric of a subject over the months, and of all subjects of a scope in the month."""
    catalogue = load_catalogue(desk.settings)
    metric = find_metric(desk, catalogue, code_of_metric)
    view = _View(desk, catalogue, code_of_metric, metric)
    of = find_scope(desk, metric, scope)
    asked_months = _months(desk, months)
    with desk.connect() as connection:
        period, periods = desk.assessed_month(connection)
        if period is None:
            raise not_assessed(desk)
        runs = read_runs(connection, period)
        there = read_subjects(connection, runs, code_of_metric, of)
        subject = find_subject(desk, of, there, code)
        series: Sequence[Row[Any]] = []
        if subject is not None:
            names = {"metric": code_of_metric, "scope": of, "code": subject.code}
            asked = months_until(period, asked_months) | names
            series = connection.execute(load_statement("web/figure_months"), asked).all()
        below = {
            each: read_subjects(
                connection, runs, code_of_metric, each, subject.code if each is Scope.TOWN and subject else None
            )
            for each in _scopes_below(metric, of, subject)
        }
    beside = _beside(of, there, subject)
    tables = [view.subjects(each, rows, period, asked_months, None) for each, rows in below.items()]
    if of is not Scope.CITY:
        tables.append(view.subjects(of, beside, period, asked_months, subject))
    if subject is not None:
        tables.insert(0, view.months(of, subject, series))
    return desk.answer(
        "figure.html",
        page="figures",
        title=metric.name,
        tables=tables,
        shown=tables,
        period=period,
        periods=periods,
        metric=metric,
        good=GOOD_WORDS[metric.good],
        scope=of,
        subject=subject,
        path=view.path(of, subject, period, asked_months),
        scopes={each: SCOPE_WORDS[each] for each in metric.scopes},
        months=asked_months,
        all_months=_LOOKED_BACK,
        chart=view.line(of, subject, series) if subject is not None else view.bars(of, beside),
        note=LEFT_OUT_WORDS if any(counts_households(metric, each) for each in (of, *below)) else "",
    )


def _months(desk: Desk, asked: str) -> int:
    found = next((each for each in _LOOKED_BACK if str(each) == asked), MONTHS if not asked else None)
    if found is None:
        choices = [Choice(f"{each}个月", desk.here(months=each)) for each in _LOOKED_BACK]
        raise NotThereError("网址中的月数不对。", choices)
    return found


def _scopes_below(metric: Metric, scope: Scope, subject: Row[Any] | None) -> list[Scope]:
    """What a click can go down to from the subject that is shown."""
    if subject is None:
        return []
    below = {Scope.CITY: (Scope.COUNTY, Scope.BANK), Scope.COUNTY: (Scope.TOWN,)}.get(scope, ())
    return [each for each in below if each in metric.scopes]


def _beside(scope: Scope, there: Sequence[Row[Any]], subject: Row[Any] | None) -> list[Row[Any]]:
    """The subjects of the scope; with a town those of its county."""
    if scope is Scope.TOWN and subject is not None:
        return [each for each in there if each.parent_code == subject.parent_code]
    return list(there)


class _View:
    """A metric as its page shows it."""

    def __init__(self, desk: Desk, catalogue: Catalogue, code: str, metric: Metric) -> None:
        self._desk, self._catalogue, self._code, self._metric = desk, catalogue, code, metric
        self._form = form_of(metric.unit)

    def path(self, scope: Scope, subject: Row[Any] | None, period: Period, months: int) -> list[Choice]:
        """From all metrics down to the subject that is shown."""
        steps = [Choice("全部指标", self._desk.href("figures", period=period))]
        if Scope.CITY in self._metric.scopes:
            steps.append(Choice(SCOPE_WORDS[Scope.CITY], self._href(Scope.CITY, None, period, months)))
        if scope is Scope.TOWN and subject is not None and Scope.COUNTY in self._metric.scopes:
            steps.append(Choice(subject.parent_name, self._href(Scope.COUNTY, subject.parent_code, period, months)))
        elif scope is not Scope.CITY:
            steps.append(Choice(SCOPE_WORDS[scope], self._href(scope, None, period, months)))
        if subject is not None and scope is not Scope.CITY:
            steps.append(Choice(subject.name, self._href(scope, subject.code, period, months)))
        return steps

    def months(self, scope: Scope, subject: Row[Any], series: Sequence[Row[Any]]) -> Table:
        """The figure of a subject month by month, the newest first."""
        figures = [self._shown(scope, row) for row in series]
        by_month = {row.period: figure for row, figure in zip(series, figures, strict=True)}
        parts = _part_columns(figures)
        rows = []
        for row, figure in zip(reversed(series), reversed(figures), strict=True):
            before = by_month.get(str(Period.parse(row.period).previous()), Shown(None))
            rows.append(
                [
                    Cell(value=row.period, is_head=True),
                    *self._with_parts(figure, parts, self._proof(scope, subject.code, row.period)),
                    value_cell(self._metric, change_of(figure, before)),
                ]
            )
        return Table(
            name="months",
            title=f"{subject.name}各月",
            columns=[
                Column("period", "月份"),
                Column("value", "数值", self._form, self._metric.unit),
                *parts,
                Column("change", "比上月", self._form, change_unit(self._metric)),
            ],
            rows=rows,
            empty="这个对象在这些月份没有数值。",
        )

    def subjects(
        self, scope: Scope, rows: Sequence[Row[Any]], period: Period, months: int, chosen: Row[Any] | None
    ) -> Table:
        """The subjects of a scope in the month, the largest value first."""
        figures = {row.code: self._shown(scope, row) for row in rows}
        parts = _part_columns(list(figures.values()))
        has_parents = len({row.parent_code for row in rows}) > 1
        return Table(
            name=f"{scope}_figures",
            title=f"{period.words}各{SCOPE_WORDS[scope]}",
            columns=[
                Column("subject", SCOPE_WORDS[scope]),
                *([Column("county", "县区")] if has_parents else []),
                Column("value", "数值", self._form, self._metric.unit),
                *parts,
                Column("change", "比上月", self._form, change_unit(self._metric)),
            ],
            rows=[
                [
                    Cell(
                        value=row.name,
                        href=self._href(scope, row.code, period, months),
                        is_head=True,
                        state="chosen" if chosen is not None and row.code == chosen.code else None,
                    ),
                    *([Cell(value=row.parent_name)] if has_parents else []),
                    *self._with_parts(figures[row.code], parts, self._proof(scope, row.code, str(period))),
                    value_cell(
                        self._metric,
                        change_of(figures[row.code], self._shown_before(scope, row)),
                        f"{self._href(scope, row.code, period, months)}#months",
                    ),
                ]
                for row in _by_value(rows, figures)
            ],
            empty=f"本月没有{SCOPE_WORDS[scope]}；请核对机构登记文件。",
        )

    def line(self, scope: Scope, subject: Row[Any], series: Sequence[Row[Any]]) -> str:
        """The figure over the months; a month that is left out in the table is left out here."""
        points = [(row.period, _drawn(self._shown(scope, row).value)) for row in series]
        return line_chart([Series(subject.name, points)], unit=self._metric.unit)

    def bars(self, scope: Scope, rows: Sequence[Row[Any]]) -> str:
        """The subjects of a scope beside one another, where a chart can show so many."""
        if len(rows) > _MOST_BARS:
            return ""
        names = Counter(row.name for row in rows)
        figures = {row.code: self._shown(scope, row) for row in rows}
        return bar_chart(
            [
                Bar(
                    row.name if names[row.name] == 1 else f"{row.parent_name}{row.name}",
                    _drawn(figures[row.code].value),
                )
                for row in _by_value(rows, figures)
            ],
            unit=self._metric.unit,
        )

    def _with_parts(self, figure: Shown, parts: Sequence[Column], proof: str) -> list[Cell]:
        """A value, with numerator and denominator where there are columns of them; all have the same proof."""
        shown = [figure.numerator, figure.denominator] if parts else []
        return [
            value_cell(self._metric, figure.value, proof),
            *(Cell(value=each, href=None if each is None else proof) for each in shown),
        ]

    def _shown(self, scope: Scope, row: Row[Any]) -> Shown:
        return shown_figure(self._metric, scope, row.value, row.numerator, row.denominator)

    def _shown_before(self, scope: Scope, row: Row[Any]) -> Shown:
        return shown_figure(self._metric, scope, row.value_before, row.numerator_before, row.denominator_before)

    def _href(self, scope: Scope, code: str | None, period: Period, months: int) -> str:
        asked = None if months == MONTHS else months
        return self._desk.href(f"figures/{self._code}", scope=scope, code=code, period=period, months=asked)

    def _proof(self, scope: Scope, code: str, period: str) -> str:
        return proof_href(self._desk, self._code, scope, code, period)


def _part_columns(figures: Sequence[Shown]) -> list[Column]:
    """Numerator and denominator, where the figures are ratios."""
    above, below = [each.numerator for each in figures], [each.denominator for each in figures]
    if all(each is None for each in (*above, *below)):
        return []
    return [Column("numerator", "分子", part_form(above)), Column("denominator", "分母", part_form(below))]


def _drawn(value: Value) -> Decimal | int | None:
    return value if isinstance(value, Decimal | int) else None


def _by_value(rows: Sequence[Row[Any]], figures: dict[str, Shown]) -> list[Row[Any]]:
    """The largest first; then what is left out, by code, so that the order does not tell it; last what has no value."""

    def place(row: Row[Any]) -> tuple[int, Decimal | int, str]:
        value = figures[row.code].value
        drawn = _drawn(value)
        return (0, -drawn, row.code) if drawn is not None else (2 if value is None else 1, 0, row.code)

    return sorted(rows, key=place)
