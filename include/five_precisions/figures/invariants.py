"""What must be true of every run; a run of which it is not is not kept (spec/04)."""

from __future__ import annotations

from sqlalchemy import Connection

from five_precisions.figures.inputs import Parameters
from five_precisions.reference import Catalogue


def check_invariants(connection: Connection, catalogue: Catalogue, parameters: Parameters) -> None:
    """Hold the run's results against each other."""
