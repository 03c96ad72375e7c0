"""Many months out of one: what the pages read of a month's run and its deliveries is copied into the months before.

Only for benchmarks: rows of `core` are not copied, for no page reads them, and the months are alike but for a shift of
the ranks.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.period import Period

_COLUMNS = text("""
select columns.table_name, columns.column_name
from information_schema.columns
inner join information_schema.tables using (table_schema, table_name)
where table_schema = :schema and table_type = 'BASE TABLE' and columns.is_identity = 'NO'
order by columns.table_name, columns.ordinal_position
""")
_DELIVERED: Final = ("submission", "report", "file", "finding", "cross_check", "close", "frozen_report")
"""Tables of `intake` in the order in which they refer to one another."""
_OF_A_RUN: Final = "run_id"


def copy_months(engine: Engine, month: Period, months: int) -> None:
    """Copy a month that is closed and assessed into so many months before it.

    Args:
        engine: Of the warehouse.
        month: The one that is there.
        months: How many are made.
    """
    with engine.begin() as connection:
        mart, intake = _columns(connection, "mart"), _columns(connection, "intake")
        # Results come first of all, and a run before what belongs to it.
        tables = [name for name in mart if name != "run" and {_OF_A_RUN, "period"} <= set(mart[name])]
        earlier = month
        for _ in range(months):
            earlier = earlier.previous()
            names = {"period": str(month), "earlier": str(earlier)}
            connection.execute(
                text(
                    "insert into registry.period (period, deadline_at, opened_at) select :earlier, "
                    "deadline_at, opened_at from registry.period where period = :period"
                ),
                names,
            )
            for name in _DELIVERED:
                _copy(connection, f"intake.{name}", intake[name], names)
            for name in ("run", *tables):
                _copy(connection, f"mart.{name}", mart[name], names)
        for schema in ("mart", "intake"):
            for name in _columns(connection, schema):
                connection.exec_driver_sql(f"analyze {schema}.{name}")


def _columns(connection: Connection, schema: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(_COLUMNS, {"schema": schema}):
        found.setdefault(table, []).append(column)
    return found


def _copy(connection: Connection, table: str, columns: list[str], names: dict[str, str]) -> None:
    """Copy the rows of the month; every text that begins with its name begins with the earlier month's then."""
    keyed = {"period", "run_id", "submission_id"}
    given = ", ".join(f"replace({each}, :period, :earlier)" if each in keyed else each for each in columns)
    of_month = "period = :period" if "period" in columns else "submission_id like :period || '-%'"
    connection.execute(
        text(f"insert into {table} ({', '.join(columns)}) select {given} from {table} where {of_month}"), names
    )
