"""Having the server count a table that a transaction has just filled: nobody else does before it ends."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

A_TENTH: Final = 10
"""Of the usual sample: enough to say how many rows there are, and how many of them are alike."""


def analyze(connection: Connection, table: str, *, target: int | None = None) -> None:
    """Count a table. Uncounted, one row is planned, and joins take time with the product of their tables.

    Args:
        connection: In whose transaction it was filled.
        table: Its name; from our own code and declarations, as no identifier can be bound.
        target: How many values of a column are kept, and by 300 times as many rows; None: the server's own number.
    """
    wanted = "default" if target is None else target
    connection.exec_driver_sql(f"set local default_statistics_target to {wanted}; analyze {table}")
    if target is not None:
        connection.exec_driver_sql("set local default_statistics_target to default")
