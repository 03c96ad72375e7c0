"""The months on record: which is the first, and which of them are closed (docs/intake.md#its-life)."""

from __future__ import annotations

from sqlalchemy import Connection, text

from five_precisions.period import Period
from five_precisions.settings import Settings

_FIRST_DELIVERED = text("select min(period) from intake.submission")
_IS_CLOSED = text("select exists (select from intake.close where period = :period)")


def first_month(connection: Connection, settings: Settings) -> Period | None:
    """The month with which the records begin: as the settings say, else the first one that a delivery is on record for.

    None where the settings name none, and nobody has delivered anything yet.
    """
    if settings.first_period is not None:
        return settings.first_period
    first = connection.execute(_FIRST_DELIVERED).scalar()
    return None if first is None else Period.parse(first)


def is_closed(connection: Connection, period: Period) -> bool:
    """Whether what stands in the month is frozen."""
    return bool(connection.execute(_IS_CLOSED, {"period": str(period)}).scalar_one())


def first_open_month(connection: Connection, first: Period, period: Period) -> Period | None:
    """Where the gap of months begins that are not closed right before this one, as far back as the records go.

    None where the month before is closed, or is none of the records.
    """
    found = None
    month = period.previous()
    while month >= first and not is_closed(connection, month):
        found, month = month, month.previous()
    return found
