"""What is wrong with declared figures beyond their form: reports that there are not, sums in another unit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from five_precisions.errors import SetupError
from five_precisions.reference import Catalogue, Declared, Measure, Ratio, load_fact
from five_precisions.reports import ColumnType, load_reports

_TIMES: Final = {
    (ColumnType.YUAN, "元"): Decimal(1),
    (ColumnType.YUAN, "万元"): Decimal("0.0001"),
    (ColumnType.WAN, "万元"): Decimal(1),
    (ColumnType.WAN, "元"): Decimal(10_000),
}
"""What makes a sum of a column one in the figure's unit."""


def require_sound(catalogue: Catalogue) -> None:
    """Hold what the catalogue declares against the reports.

    Raises:
        SetupError: a figure needs a report that there is not, or is a sum in another unit; the first one is named.
    """
    for sentence in metric_faults(catalogue):
        raise SetupError(sentence)


def metric_faults(catalogue: Catalogue) -> Iterator[str]:
    """What is wrong with the figures that the catalogue declares, a sentence each."""
    yield from _unknown_reports(catalogue)
    yield from _other_units(catalogue)


def _unknown_reports(catalogue: Catalogue) -> Iterator[str]:
    """Without a word such a figure would never be known."""
    reports = load_reports()
    for name in catalogue.facts:
        for report in load_fact(name).reports:
            if report not in reports:
                yield f"include/sql/{name}.sql is wrong at its head: there is no report {report}."
        for figure in catalogue.made_from(name):
            needed = [code for each in figure.declared.measures for code in (*each.needs, *each.needs_of_any)]
            for report in dict.fromkeys(needed):
                if report not in reports:
                    yield f"metrics.yaml is wrong at {figure.metric}: there is no report {report}, which it needs."


def _other_units(catalogue: Catalogue) -> Iterator[str]:
    """Sums in another unit than the metric says: of yuan in 万元 they would be ten thousand times too large.

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
