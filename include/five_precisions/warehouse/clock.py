"""The one clock of the ledger: the database's, whatever the machines that ask it take the time for (docs/intake.md)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from five_precisions.period import SHANGHAI

_READ = text("select clock_timestamp()")


def read_clock(connection: Connection) -> datetime:
    """Now, in Shanghai: what a deadline is held against, and what goes on record."""
    now: datetime = connection.execute(_READ).scalar_one()
    return now.astimezone(SHANGHAI)
