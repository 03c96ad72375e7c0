"""Commands of the figures: a month's run, and where a figure comes from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from five_precisions.cli.console import JsonOption, PeriodArgument, cell, display, out, print_json, progress
from five_precisions.cli.session import deliver, opened_warehouse
from five_precisions.period import Period

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer()


@app.command()
def assess(period: PeriodArgument, as_json: JsonOption = False) -> None:
    """Compute a closed month's figures, scores, assessment and rankings; post its notices. Emits no Airflow asset."""
    from five_precisions.bulletin import post_notices
    from five_precisions.figures import assess as assess_month

    with opened_warehouse() as (engine, settings), progress(f"assessing {period}") as tell:
        assessed = assess_month(engine, settings, period, report_progress=tell)
        ranking = _read_assessment(engine, assessed.run_id)
        tell("notices")
        post_notices(engine, settings, period)
        deliver(engine, settings)
    if as_json:
        print_json({**dataclasses.asdict(assessed), "assessment": ranking})
        return
    out.print(f"{assessed.run_id} {'computed' if assessed.is_new else 'stands; only restate makes another run'}")
    table = Table("rank", "bank", "", "score", "deductions", "grade", "before", "reason", box=None)
    for row in ranking:
        cells = (row["rank"], row["institution_code"], row["short_name"], row["score"], row["deductions"])
        table.add_row(*map(cell, (*cells, row["grade"], row["previous_rank"], row["reason"])))
    out.print(table)


@app.command()
def explain(
    metric: Annotated[str, typer.Argument(help="A code of include/reference/metrics.yaml.")],
    period: Annotated[Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="Which month.")],
    scope: Annotated[str, typer.Option(help="city, county, town or bank.")] = "city",
    code: Annotated[str | None, typer.Option(help="Which one; may be left out for the city.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Where a figure comes from: value, formula, numerator, denominator, run."""
    from five_precisions.figures import explain as explain_figure

    with opened_warehouse() as (engine, settings):
        explained = explain_figure(engine, settings, metric, scope=scope, code=code, period=period)
    if as_json:
        print_json(explained)
        return
    value = "no value" if explained.value is None else f"{display(explained.value)} {explained.unit}"
    table = Table(show_header=False, box=None)
    table.add_row("figure", f"{explained.metric} {explained.name}")
    table.add_row("of", f"{explained.scope} {explained.code} {explained.subject}, {explained.period}")
    table.add_row("value", value)
    table.add_row("exact", cell(explained.value))
    table.add_row("formula", explained.formula)
    table.add_row("numerator", cell(explained.numerator))
    table.add_row("denominator", cell(explained.denominator))
    table.add_row("run", f"{explained.run_id}, input {explained.input_digest}")
    out.print(table)


def _read_assessment(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    from sqlalchemy import text

    query = text(
        "select assessment.rank, assessment.institution_code, institution.short_name, assessment.score, "
        "assessment.deductions, assessment.grade, assessment.previous_rank, assessment.status, assessment.reason "
        "from mart.assessment inner join registry.institution on assessment.institution_code = institution.code "
        "where run_id = :run_id order by assessment.rank nulls last, assessment.institution_code"
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query, {"run_id": run_id}).mappings()]
