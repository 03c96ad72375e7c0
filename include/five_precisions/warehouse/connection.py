"""Connecting to the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from five_precisions.errors import SetupError, UnreachableError
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse.embedded import EmbeddedServer

_DRIVER = "postgresql+psycopg"


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Engine]:
    """An engine on the warehouse: the server that the settings name, or the embedded one, borrowed for the block.

    Raises:
        SetupError: the address is not one of PostgreSQL.
        UnreachableError: nobody answers there.
    """
    if settings.warehouse is None:
        with EmbeddedServer(settings.var).borrowed() as url:
            yield from _engine(url)
    else:
        yield from _engine(_server_url(settings.warehouse))


def _server_url(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise SetupError(f"{PREFIX}WAREHOUSE is not a SQLAlchemy URL such as {_DRIVER}://user@host/database.") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SetupError(f"{PREFIX}WAREHOUSE names {url.get_backend_name()}; the warehouse is PostgreSQL.")
    return url.set(drivername=_DRIVER)


def _engine(url: URL) -> Iterator[Engine]:
    engine = create_engine(
        url,
        # A failed statement is told to logs without the values that it was given.
        hide_parameters=True,
        connect_args={"options": "-c timezone=Asia/Shanghai", "connect_timeout": 10},
    )
    try:
        try:
            engine.connect().close()
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise UnreachableError(f"The warehouse {url.render_as_string()} cannot be reached: {reason}") from None
        yield engine
    finally:
        engine.dispose()
