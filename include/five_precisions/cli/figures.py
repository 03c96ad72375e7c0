"""The command of the figures: a month's run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import typer

from five_precisions.cli.console import JsonOption, PeriodArgument, out, print_json, print_table, progress
from five_precisions.cli.session import deliver
from five_precisions.installation import open_installation

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer()


@app.command()
def assess(period: PeriodArgument, as_json: JsonOption = False) -> None:
    """Compute a closed month's figures, scores, assessment and rankings; post its notices. Emits no Airflow asset."""
    from five_precisions.bulletin import post_notices
    from five_precisions.figures import assess as assess_month

    with open_installation() as (engine, settings), progress(f"assessing {period}") as show_step:
        assessed = assess_month(engine, settings, period, report_progress=show_step)
        ranking = _read_assessment(engine, assessed.run_id)
        show_step("notices")
        post_notices(engine, settings, period)
        deliver(engine, settings)
    if as_json:
        own = {field.name: getattr(assessed, field.name) for field in dataclasses.fields(assessed)}
        print_json({**own, "assessment": ranking})
        return
    out.print(f"{assessed.run_id} {'computed' if assessed.is_new else 'stands; only restate makes another run'}")
    shown = ("rank", "institution_code", "short_name", "score", "deductions", "grade", "previous_rank", "reason")
    headings = ("rank", "bank", "", "score", "deductions", "grade", "before", "reason")
    print_table(headings, [[row[name] for name in shown] for row in ranking])


def _read_assessment(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    from five_precisions.warehouse import load_statement

    with engine.connect() as connection:
        found = connection.execute(load_statement("cli/ranking"), {"run_id": run_id})
        return [dict(row) for row in found.mappings()]
