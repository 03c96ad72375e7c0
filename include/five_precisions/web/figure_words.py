"""What the pages of figures say of a metric, its subjects and its values, and which small counts they leave out.

See docs/figures.md#catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from five_precisions.display import Form, form_of
from five_precisions.period import Period
from five_precisions.reference import Catalogue, Metric, Scope
from five_precisions.warehouse import load_statement
from five_precisions.web.desk import NOTHING_ASSESSED, Desk
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.tables import Cell, Value, few

SCOPE_WORDS: Final = {Scope.CITY: "全市", Scope.COUNTY: "县区", Scope.TOWN: "乡镇", Scope.BANK: "银行机构"}
GOOD_WORDS: Final = {"up": "越高越好", "down": "越低越好", None: "不评价"}
LEFT_OUT: Final = "不列"
"""In the place of what would tell a small count of households."""
LEFT_OUT_WORDS: Final = "乡镇中1至4户写作“<5”；由这样的户数算出的比率和增减不列。"
_HOUSEHOLDS: Final = "户"
_COUNT_OF_HOUSEHOLDS: Final = "户数"
"""In the formula of a metric of somebody's own catalogue, which may be older than `of_households`."""
_NEAR: Final = 6
"""Metrics that are named where there is none of a code."""
_RUNS = text("select period, run_id from mart.current_run where period = any(:periods)")


@dataclass(frozen=True, slots=True)
class Runs:
    """The run of a month, and of the month before where that was assessed."""

    run_id: str
    run_before: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as a page may show it: a small count of households, and what would tell it, are words."""

    value: Value
    numerator: Value = None
    denominator: Value = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is left out."""
        return not any(isinstance(each, str) for each in (self.value, self.numerator, self.denominator))


def counts_households(metric: Metric, scope: Scope) -> bool:
    """Whether a figure is, or is made from, a count of households of a town."""
    of_households = metric.unit == _HOUSEHOLDS or metric.of_households or _COUNT_OF_HOUSEHOLDS in metric.formula
    return scope is Scope.TOWN and of_households


def shown_figure(metric: Metric, scope: Scope, value: Any, numerator: Any = None, denominator: Any = None) -> Shown:
    """A figure as a page may show it.

    A count of one to four households of a town is `<5`. A ratio of such a count is left out, for with the other count
    it would tell it; where nothing is counted above, it tells nothing.
    """
    if not counts_households(metric, scope):
        return Shown(value, numerator, denominator)
    if metric.unit == _HOUSEHOLDS:
        return Shown(few(value), numerator, denominator)
    above, below = few(numerator), few(denominator)
    reveals = numerator != 0 and (isinstance(above, str) or isinstance(below, str))
    return Shown(LEFT_OUT if reveals and value is not None else value, above, below)


def change_of(now: Shown, before: Shown) -> Value:
    """How much more than before; None where one of the two has no value."""
    if now.value is None or before.value is None:
        return None
    if isinstance(now.value, int | Decimal) and isinstance(before.value, int | Decimal):
        return now.value - before.value
    return LEFT_OUT


def value_cell(metric: Metric, shown: Value, href: str | None = None) -> Cell:
    """A value of a metric, and where its proof is."""
    title = LEFT_OUT_WORDS if isinstance(shown, str) else None
    return Cell(value=shown, href=href, form=form_of(metric.unit), title=title)


def part_form(shown: Sequence[Value]) -> Form:
    """How numerators or denominators are shown: whole where all of them are whole."""
    numbers = [each for each in shown if each is not None and not isinstance(each, str)]
    return Form.COUNT if all(each == int(each) for each in numbers) else Form.AMOUNT  # type: ignore[arg-type]


def change_unit(metric: Metric) -> str:
    """The unit of a difference of two values."""
    return "百分点" if metric.unit == "%" else metric.unit


def find_metric(desk: Desk, catalogue: Catalogue, code: str) -> Metric:
    """The metric of a code.

    Raises:
        NotThereError: there is none; the page names near ones.
    """
    if code in catalogue.metrics:
        return catalogue.metrics[code]
    by_word = {each: each for each in catalogue.metrics} | {
        metric.name: each for each, metric in catalogue.metrics.items()
    }
    near = dict.fromkeys(by_word[each] for each in get_close_matches(code, by_word, n=_NEAR, cutoff=0.5))
    choices = [Choice(catalogue.metrics[each].name, desk.href(f"figures/{each}")) for each in near]
    raise NotThereError("没有这个指标。", [*choices, Choice("全部指标", desk.href("figures"))])


def find_scope(desk: Desk, metric: Metric, asked: str) -> Scope:
    """The scope that the address asks for, else the widest of the metric.

    Raises:
        NotThereError: the metric does not hold in it.
    """
    if not asked:
        return metric.scopes[0]
    found = next((scope for scope in metric.scopes if scope == asked), None)
    if found is None:
        choices = [Choice(SCOPE_WORDS[each], desk.here(scope=each, code=None)) for each in metric.scopes]
        raise NotThereError(f"“{metric.name}”没有这个层级。", choices)
    return found


def read_runs(connection: Connection, period: Period) -> Runs:
    """The runs that the pages of a month that was assessed compare."""
    before = str(period.previous())
    found = connection.execute(_RUNS, {"periods": [str(period), before]})
    by_month: dict[str, str] = {row.period: row.run_id for row in found}
    return Runs(by_month[str(period)], by_month.get(before))


def read_subjects(
    connection: Connection, runs: Runs, code: str, scope: Scope, parent: str | None = None
) -> Sequence[Row[Any]]:
    """What has a figure of a metric in a scope, by code: with its values of the month and of the month before.

    Args:
        connection: To the warehouse.
        runs: Of the month.
        code: Of the metric.
        scope: Whose subjects.
        parent: Towns of this county only.
    """
    asked = {"run_id": runs.run_id, "run_before": runs.run_before, "metric": code, "scope": scope, "parent": parent}
    return connection.execute(load_statement("web/figure_subjects"), asked).all()


def find_subject(desk: Desk, scope: Scope, subjects: Sequence[Row[Any]], asked: str) -> Row[Any] | None:
    """The subject that the address asks for; of the city always the one that there is.

    Raises:
        NotThereError: the run of the month knows no such subject.
    """
    if scope is Scope.CITY and not asked and subjects:
        return subjects[0]
    if not asked:
        return None
    found = next((each for each in subjects if each.code == asked), None)
    if found is None:
        choices = [Choice(each.name, desk.here(code=each.code)) for each in subjects]
        raise NotThereError(f"本月没有代码是这个的{SCOPE_WORDS[scope]}。", choices)
    return found


def not_assessed(desk: Desk) -> NotThereError:
    """What is said where no month has been assessed."""
    return NotThereError(NOTHING_ASSESSED, [Choice("报送情况", desk.href("reporting"))])
