"""Whether declared figures are in the unit that the catalogue names: a sum of yuan is no figure in 万元."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from five_precisions.reference import Catalogue, Declared, Measure, Ratio, load_fact
from five_precisions.reports import ColumnType, load_reports

_TIMES: Final = {
    (ColumnType.YUAN, "元"): Decimal(1),
    (ColumnType.YUAN, "万元"): Decimal("0.0001"),
    (ColumnType.WAN, "万元"): Decimal(1),
    (ColumnType.WAN, "元"): Decimal(10_000),
}
"""What makes a sum of a column one in the figure's unit."""


def unit_faults(catalogue: Catalogue) -> Iterator[str]:
    """Metrics whose sums are in another unit than they say, a sentence each.

    Looked at are sums of a column of the report that the fact is about; an expression may be in any unit.
    """
    for code, metric in catalogue.metrics.items():
        for name, declared in {made for scope in metric.scopes if (made := metric.made_from(scope)) is not None}:
            for measure in _in_unit_of_figure(declared):
                kind = _type_of(name, measure)
                wanted = None if kind is None else _TIMES.get((kind, metric.unit))
                if wanted is not None and (measure.times or Decimal(1)) != wanted:
                    yield (
                        f"metrics.yaml is wrong at {code}: {measure.sum} is no column in {metric.unit}; "
                        f"its sum wants times: {wanted}."
                    )


def _in_unit_of_figure(declared: Declared) -> list[Measure]:
    """The numbers that have the unit of the figure: not those of a percentage."""
    if declared.ratio not in (None, Ratio.MEAN):
        return []
    return [each for each in declared.measures[:1] if each.sum is not None]


def _type_of(fact: str, measure: Measure) -> ColumnType | None:
    """The type of the delivered column that is added up; None where it is none."""
    reports = load_reports()
    for report in load_fact(fact).reports:
        for column in reports[report].columns if report in reports else ():
            if column.name == measure.sum:
                return column.type
    return None
