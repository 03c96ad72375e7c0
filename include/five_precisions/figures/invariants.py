"""What must be true of every run; a run of which it is not is not kept (docs/figures.md).

An invariant is a file of include/sql/invariants. It opens with the question that it answers and, after an empty
comment line, says as YAML what must be true (`invariant`). Its rows, `subject` and `detail`, are where it is not. It
reads what a run reads and has written. Beside the run's parameters it may bind `additive` (JSON: metrics that add up,
with their scopes) and `shares` (metrics between 0 and 100). It may also bind `grades` and `tiers` (JSON, as scheme and
scorecard list them).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from five_precisions.errors import RefusedError
from five_precisions.figures.inputs import Parameters, bound_of
from five_precisions.figures.scheme import Scheme, Scorecard
from five_precisions.reference import Catalogue
from five_precisions.reference.sql_files import SQL_FOLDER, load_heads

INVARIANT_FOLDER: Final = SQL_FOLDER / "invariants"
_MOST_NAMED: Final = 3
"""Places that the sentence names of each invariant that does not hold."""


class InvariantError(RefusedError):
    """The results of a run contradict themselves; nothing of it is kept."""


class Invariant(BaseModel):
    """One thing that must be true, as its file declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invariant: str
    sql: str


@cache
def load_invariants(folder: Path = INVARIANT_FOLDER) -> tuple[Invariant, ...]:
    """The invariants of a folder, in the order of their files' names.

    Raises:
        SetupError: a file does not say what must be true.
    """
    return load_heads(folder, Invariant, "invariant")


def check_invariants(
    connection: Connection,
    catalogue: Catalogue,
    scheme: Scheme,
    scorecard: Scorecard,
    parameters: Parameters,
    folder: Path = INVARIANT_FOLDER,
) -> None:
    """Hold the run's results against each other.

    Raises:
        InvariantError: the sentence names what does not hold, and where first.
    """
    metrics = catalogue.metrics.items()
    asked = parameters | {
        "additive": json.dumps(
            [{"metric": code, "scopes": metric.scopes} for code, metric in metrics if metric.additive]
        ),
        "shares": [code for code, metric in metrics if metric.share],
        "grades": json.dumps([grade.model_dump(mode="json") for grade in scheme.grades]),
        "tiers": json.dumps([tier.model_dump(mode="json") for tier in scorecard.tiers]),
    }
    wrong = []
    for each in load_invariants(folder):
        statement = text(each.sql)
        rows = connection.execute(statement, bound_of(connection, statement, asked)).all()
        if rows:
            places = [f"{row.subject}: {row.detail}" for row in rows[:_MOST_NAMED]]
            more = f", and {len(rows) - len(places)} more" if len(rows) > len(places) else ""
            wrong.append(f"{each.invariant} (not so: {'; '.join(places)}{more})")
    if wrong:
        raise InvariantError(f"The figures of {parameters['period']} were not kept: {'; '.join(wrong)}.")
