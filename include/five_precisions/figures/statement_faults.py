"""What PostgreSQL says against statements that whoever runs the system may have written, in a warehouse of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.errors import SetupError
from five_precisions.figures.alerts import rule_faults
from five_precisions.figures.assessment import indicator_faults
from five_precisions.figures.inputs import (
    Parameters,
    bound_of,
    load_inputs,
    period_parameters,
    statement_errors,
)
from five_precisions.figures.metric_faults import metric_faults
from five_precisions.figures.metric_sql import figure_faults
from five_precisions.figures.scheme import load_scheme
from five_precisions.period import Period
from five_precisions.reference import Catalogue, load_catalogue
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

_FIGURE: Final = "figure.scope, figure.scope_code, figure.metric, figure.value, figure.numerator, figure.denominator"
_EVIDENCE: Final = (
    "figure.report, figure.submission_id, figure.row_number, figure.part, figure.counted, figure.numerator, "
    "figure.denominator, figure.content"
)
_OF_A_FIGURE: Final = {"metric": "", "scope": "city", "code": ""}
"""What evidence binds beside what a run has."""


def statement_faults(connection: Connection, settings: Settings, period: Period) -> Iterator[str]:
    """What is wrong with the statements of metrics, evidence, alerts and indicators, a sentence each.

    Args:
        connection: To a migrated warehouse that has a register and no rows; nothing is kept.
        settings: For catalogue and scheme.
        period: By whose parameters they are tried.

    Raises:
        SetupError: catalogue or scheme are wrong.
    """
    parameters = period_parameters(connection, period) | {"run_id": "", "current_round": 1}
    load_inputs(connection, parameters)
    yield from _metric_faults(connection, load_catalogue(settings), parameters)
    yield from rule_faults(connection, parameters)
    yield from indicator_faults(connection, load_scheme(settings, period), parameters)


def _metric_faults(connection: Connection, catalogue: Catalogue, parameters: Parameters) -> Iterator[str]:
    evidence = dict.fromkeys(name for metric in catalogue.metrics.values() for name in metric.evidence)
    yield from metric_faults(catalogue)
    for name in catalogue.facts:
        yield from figure_faults(connection, catalogue, name, parameters)
    tries = [(name, _FIGURE, parameters) for name in catalogue.statements if name not in catalogue.facts]
    tries += [(name, _EVIDENCE, parameters | _OF_A_FIGURE) for name in evidence]
    for name, columns, known in tries:
        tried = connection.begin_nested()
        try:
            statement = text(f"select {columns} from (\n{load_statement(name).text}\n) as figure")
            with statement_errors(name):
                connection.execute(statement, bound_of(connection, statement, known))
        except SetupError as error:
            yield str(error)
        finally:
            tried.rollback()
