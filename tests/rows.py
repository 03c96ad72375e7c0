"""What stands in a warehouse, for tests to look at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """What a query finds, by a connection of its own."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
