"""What the warehouse lacks of the reports that are declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.reports import Column, Report, load_reports
from five_precisions.warehouse.core_views import columns_of

_READ_REQUIRED: Final = text(
    "select attname from pg_attribute where attrelid = to_regclass(:table) and attnum > 0 and attnotnull"
)


def missing_columns(connection: Connection) -> Iterator[str]:
    """What is missing for the declared reports: the begin of a sentence each, without its full stop."""
    for report in load_reports().values():
        held = columns_of(connection, f"core.delivered_{report.code}").keys()
        if not held:
            yield f"The warehouse lacks the report {report.code}"
            continue
        for name in names_of([column for column in report.columns if column.name not in held]):
            yield f"The warehouse lacks the column {name} of {report.code}"
        for name in names_freed(connection, report):
            yield f"The warehouse takes no row of {report.code} without {name}, which may be empty"


def names_of(columns: list[Column]) -> list[str]:
    """The columns of the warehouse that hold these: each, and its keyed hash where it has one."""
    return [name for column in columns for name in (column.name, column.hash_name) if name is not None]


def is_required(report: Report, column: Column) -> bool:
    """Whether every row of every month has it."""
    return not column.optional and report.has_always(column)


def names_freed(connection: Connection, report: Report) -> list[str]:
    """Columns that must not be empty in the table, and may be as declared."""
    required = connection.execute(_READ_REQUIRED, {"table": f"core.delivered_{report.code}"}).scalars().all()
    spared = names_of([column for column in report.columns if not is_required(report, column)])
    return [name for name in spared if name in required]
