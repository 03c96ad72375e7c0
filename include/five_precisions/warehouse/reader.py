"""The role five_precisions_reader reads the schema mart and makes nothing (docs/outputs.md#warehouse)."""

from __future__ import annotations

from sqlalchemy import Connection

from five_precisions.warehouse.statements import load_statement


def confine_reader(connection: Connection) -> list[str]:
    """Take from it, and so from everybody, what PostgreSQL lets everybody make: temporary tables, large objects.

    No migration does it: such rights belong to the database, and a copy of its tables in another has others.

    Returns:
        The statements that only the server's administrator may run; none where nothing is left to take.
    """
    for row in connection.execute(load_statement("reader/rights_to_take")).all():
        if row.is_ours:
            connection.exec_driver_sql(row.statement)
    return [row.statement for row in connection.execute(load_statement("reader/rights_to_take"))]
