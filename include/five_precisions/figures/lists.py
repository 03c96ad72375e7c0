"""Lists that people work from: households to see, projects to take up, outlets to inspect (spec/04)."""

from __future__ import annotations

from sqlalchemy import Connection

from five_precisions.figures.inputs import Parameters
from five_precisions.settings import Settings


def draw_lists(connection: Connection, settings: Settings, parameters: Parameters) -> None:
    """Write the run's lists, from its inputs, scores and alerts."""
