"""This installation, opened: the one way for the command line, tasks and pages to their settings and warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from five_precisions.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Installation(NamedTuple):
    """What every command, task and page works with."""

    engine: Engine
    """The warehouse's, at this program's schema and under the keys that it was made with."""
    settings: Settings


@contextmanager
def open_installation(settings: Settings | None = None, *, also_lost: bool = False) -> Iterator[Installation]:
    """Open the warehouse for every use but to set it up; it is closed when the block ends.

    Args:
        settings: Of this installation; None for those that the environment names.
        also_lost: Whether a key of the archive may be missing, as it is when it is lost for good.

    Raises:
        SetupError: a setting is wrong, the warehouse is not migrated, or a key is not the one that it was made with;
            the sentence says what to run.
        UnreachableError: nobody answers there.
    """
    # The command line also answers without a warehouse, whose libraries take a second to import.
    from five_precisions.warehouse import open_warehouse
    from five_precisions.warehouse.keys import require_keys
    from five_precisions.warehouse.schema import require_migrated

    settings = settings or Settings.load()
    with open_warehouse(settings) as engine:
        require_migrated(engine)
        with engine.begin() as connection:
            require_keys(connection, settings, also_lost=also_lost)
        yield Installation(engine, settings)
