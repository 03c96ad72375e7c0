"""What stands in a warehouse, for tests to look at and to change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text


def execute(engine: Engine, *statements: str) -> None:
    """Change what stands there, in one transaction."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rewrite(engine: Engine, statement: str, **values: object) -> None:
    """Change a record that is only added to, as only the server's administrator can: let a night be long ago."""
    with engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text(statement), values)


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """What a query finds, by a connection of its own."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
