"""The warehouse as whoever works on it wants it: at this program's schema, and under the keys that it was made with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from five_precisions.settings import Settings
from five_precisions.warehouse.connection import open_warehouse
from five_precisions.warehouse.keys import require_keys
from five_precisions.warehouse.schema import require_migrated


@contextmanager
def open_prepared_warehouse(settings: Settings, *, also_lost: bool = False) -> Iterator[Engine]:
    """The warehouse, for every use but to set it up.

    Args:
        settings: Of this installation.
        also_lost: As for `require_keys`.

    Raises:
        SetupError: it is not migrated, or a key that is set is not the one that it was made with.
        UnreachableError: nobody answers there.
    """
    with open_warehouse(settings) as engine:
        require_migrated(engine)
        with engine.begin() as connection:
            require_keys(connection, settings, also_lost=also_lost)
        yield engine
