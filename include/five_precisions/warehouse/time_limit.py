"""How long a statement may take where somebody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from five_precisions.errors import RefusedError

_CANCELED: Final = "57014"
"""PostgreSQL's code of a statement that took too long."""
_LIMIT = text("select set_config('statement_timeout', :limit, true)")


@contextmanager
def ended_after(connection: Connection, seconds: float, refusal: RefusedError) -> Iterator[None]:
    """Let no statement of the transaction take longer.

    Args:
        connection: To the warehouse.
        seconds: A statement that takes longer is ended.
        refusal: What is raised then.

    Raises:
        RefusedError: `refusal`, a statement took longer.
    """
    connection.execute(_LIMIT, {"limit": f"{seconds * 1000:.0f}ms"})
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _CANCELED:
            raise
        raise refusal from None
