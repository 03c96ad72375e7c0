"""Whether the rows behind figures come to what is stored, for every figure of a warehouse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from five_precisions.figures.explain import Proof, prove, recall_run
from five_precisions.period import Period
from five_precisions.reference import load_catalogue
from five_precisions.settings import Settings


def unproved_figures(
    connection: Connection, settings: Settings, towns_of: str = "%"
) -> tuple[list[str], set[tuple[str, str]]]:
    """Of every run: figures that their rows do not come to, and the metrics and scopes of which there were rows.

    `towns_of`: the runs whose towns are looked at too, like this.
    """
    metrics = load_catalogue(settings).metrics
    wrong: list[str] = []
    proved: set[tuple[str, str]] = set()
    for run in connection.execute(text("select run_id, period from mart.run order by run_id")).all():
        figures = connection.execute(
            text(
                "select metric, scope, scope_code as code, value, numerator, denominator from mart.metric "
                "where run_id = :run_id and coalesce(value, numerator, denominator) is not null "
                "and (scope <> 'town' or run_id like :towns_of)"
            ),
            {"run_id": run.run_id, "towns_of": towns_of},
        ).all()
        assert figures
        with connection.begin_nested() as kept_until_here:
            asked = recall_run(connection, Period.parse(run.period), run.run_id)
            for figure in figures:
                of_figure = asked | {"metric": figure.metric, "scope": figure.scope, "code": figure.code}
                is_ratio = figure.denominator is not None
                proof = prove(connection, metrics[figure.metric], of_figure, is_ratio=is_ratio, first=0)
                if (found := (proof.numerator, proof.denominator)) != (expected := _expected(figure, proof)):
                    wrong.append(f"{run.run_id} {figure}: {expected} is stored, the rows come to {found}")
                if proof.rows:
                    proved.add((figure.metric, figure.scope))
            kept_until_here.rollback()
    return wrong, proved


def _expected(figure: Row[Any], proof: Proof) -> tuple[Decimal, Decimal | None]:
    if figure.denominator is None:
        return figure.value, None
    # Of a bank whose matches are missing only the denominator is known.
    return proof.numerator if figure.numerator is None else figure.numerator, figure.denominator


def every_metric_and_scope(settings: Settings) -> set[tuple[str, str]]:
    """What the catalogue declares."""
    metrics = load_catalogue(settings).metrics
    return {(code, scope.value) for code, metric in metrics.items() for scope in metric.scopes}
