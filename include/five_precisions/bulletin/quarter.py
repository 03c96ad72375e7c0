"""A quarter's results with what is derived from them: changes, growth, sums and shares, each computed in one place.

Tables and sentences take their derived figures from here, so they show the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from five_precisions.bulletin.document import Figure, Source
from five_precisions.bulletin.results import Assessment, BoardPlace, Reporting, Results
from five_precisions.display import Form
from five_precisions.errors import RefusedError
from five_precisions.period import Period, Quarter

_HUNDRED = Decimal(100)
_OF_THE_YEAR = frozenset(
    {
        "all_loans_growth",
        "microcredit_growth",
        "microcredit_ytd_amount",
        "microcredit_ytd_amount_yoy",
        "microcredit_ytd_households",
        "microcredit_ytd_households_yoy",
    }
)
"""Metrics that count from the year's beginning."""


@dataclass(frozen=True, slots=True)
class QuarterResults:
    """The results at the end of a quarter, seen beside the end of the quarter before.

    Raises:
        RefusedError: a month of the quarter has not been assessed.
    """

    quarter: Quarter
    at_end: Results
    issued_on: date

    def __post_init__(self) -> None:
        missing = [str(month) for month in self.quarter.months if not self.at_end.has(month)]
        if missing:
            raise RefusedError(f"{self.quarter} cannot be reported: {', '.join(missing)} has not been assessed.")

    @property
    def month(self) -> Period:
        """The quarter's last month."""
        return self.quarter.last_month

    @property
    def before(self) -> Period | None:
        """The last month of the quarter before; None if it was not assessed."""
        month = self.quarter.previous().last_month
        return month if self.at_end.has(month) else None

    @property
    def year_months(self) -> list[Period]:
        """The assessed months of the year up to the quarter's end."""
        months = (Period(self.quarter.year, number) for number in range(1, self.month.month + 1))
        return [month for month in months if self.at_end.has(month)]

    def figure(self, metric: str, scope: str, code: str) -> Figure:
        """A metric at the quarter's end."""
        return self.at_end.figure(metric, scope, code)

    def earlier(self, metric: str, scope: str, code: str) -> Figure:
        """A metric at the end of the quarter before; no value if that was not assessed.

        What begins anew each year has none in the first quarter: the year before is nothing to compare it with.
        """
        if self.before is None or (metric in _OF_THE_YEAR and self.before.year != self.quarter.year):
            return Figure(None, self.at_end.form(metric))
        return self.at_end.figure(metric, scope, code, self.before)

    def change(self, metric: str, scope: str, code: str) -> Figure:
        """By how much a metric moved since the quarter before; in its own unit, of a rate in points of percent."""
        now, then = self.figure(metric, scope, code), self.earlier(metric, scope, code)
        value = None if now.value is None or then.value is None else now.value - then.value
        return self._derived(f"{metric} 比上季末增减", scope, code, now.form, value, now, then)

    def growth(self, metric: str, scope: str, code: str) -> Figure:
        """By how many percent a metric grew since the quarter before; no value from zero."""
        now, then = self.figure(metric, scope, code), self.earlier(metric, scope, code)
        value = None if now.value is None or not then.value else (Decimal(now.value) / then.value - 1) * _HUNDRED
        return self._derived(f"{metric} 比上季末增长", scope, code, Form.PERCENT, value, now, then)

    def share(self, part: str, whole: str, scope: str, code: str) -> Figure:
        """What part, in percent, one metric is of another."""
        one, all_ = self.figure(part, scope, code), self.figure(whole, scope, code)
        value = None if one.value is None or not all_.value else Decimal(one.value) / all_.value * _HUNDRED
        return self._derived(f"{part} 占比", scope, code, Form.PERCENT, value, one, all_)

    def gap(self, metric: str, other: str, scope: str, code: str) -> Figure:
        """How far one metric lies above another; a rate above a rate in points of percent."""
        one, two = self.figure(metric, scope, code), self.figure(other, scope, code)
        value = None if one.value is None or two.value is None else one.value - two.value
        return self._derived(f"{metric} − {other}", scope, code, one.form, value, one, two)

    def sum_of_quarter(self, metric: str, scope: str, code: str) -> Figure:
        """A monthly flow summed over the quarter; a month without value is left out (docs/figures.md)."""
        monthly = [self.at_end.figure(metric, scope, code, month) for month in self.quarter.months]
        known = [figure.value for figure in monthly if figure.value is not None]
        value = sum(known, Decimal(0)) if known else None
        return self._derived(f"{metric} 本季合计", scope, code, self.at_end.form(metric), value, *monthly)

    def scale(self, bank: str) -> Decimal:
        """What weighted points are multiplied with, where not every indicator was assessed.

        See docs/figures.md#assessment.
        """
        assessed = (item.weight for item in self.at_end.items.get(bank, {}).values() if item.points is not None)
        return _HUNDRED / sum(assessed, Decimal(0))

    def movement(self, bank: str) -> int | None:
        """Places won since the quarter before, or in the first quarter on record since the month before."""
        assessment = self._assessment(bank, self.month)
        if assessment is None or assessment.rank is None:
            return None
        if self.before is None:
            return assessment.movement
        then = self._assessment(bank, self.before)
        return None if then is None or then.rank is None else then.rank - assessment.rank

    def target(self, bank: str | None) -> Figure:
        """Households that a bank, or with None the city, is to lend to in the year; no value without targets."""
        parts = self.at_end.targets
        value = (sum(parts.values()) if parts else None) if bank is None else parts.get(bank)
        scope, code = ("city", self.at_end.city.code) if bank is None else ("bank", bank)
        return Figure(value, Form.COUNT, Source("target", scope, code, str(self.month)))

    def city_completion(self) -> Figure:
        """The city's completion of its target in proportion to the year's months that have passed, in percent."""
        target, reached = self.target(None), self.figure("microcredit_ytd_households", "city", self.at_end.city.code)
        value = None
        if target.value and reached.value is not None:
            value = Decimal(reached.value) * 12 / (target.value * self.month.month) * _HUNDRED
        return self._derived("completion", "city", self.at_end.city.code, Form.PERCENT, value, reached)

    def needed(self, bank: str) -> Figure:
        """Households a month that a bank lacks for its target in the rest of the year; no value in December."""
        target, reached = self.target(bank), self.figure("microcredit_ytd_households", "bank", bank)
        left = 12 - self.month.month
        value = None
        if left and target.value and reached.value is not None:
            value = max(0, -(-int(target.value - reached.value) // left))
        return self._derived("needed", "bank", bank, Form.COUNT, value, reached)

    def of_place(self, place: BoardPlace, what: str, form: Form) -> Figure:
        """A cell of a board: a place's `rank` or `value`."""
        source = Source(f"{place.board} {what}", "board", place.subject_code, str(self.month))
        return self.at_end.found(getattr(place, what), form, source)

    @property
    def quarter_reporting(self) -> list[Reporting]:
        """How the reports of the quarter's three months came in."""
        months = {str(month) for month in self.quarter.months}
        return [each for each in self.at_end.reporting if each.period in months]

    def count(self, things: Sequence[object]) -> Figure:
        """How many there are, for a sentence."""
        return Figure(len(things), Form.COUNT)

    def _assessment(self, bank: str, month: Period) -> Assessment | None:
        return self.at_end.assessments.get(str(month), {}).get(bank)

    def _derived(
        self, name: str, scope: str, code: str, form: Form, value: Decimal | int | None, *of: Figure
    ) -> Figure:
        restated = any(figure.restated for figure in of)
        return Figure(value, form, Source(name, scope, code, str(self.month)), restated)
