"""Connecting to the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError

from five_precisions.errors import SetupError, UnreachableError
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse.embedded import EmbeddedServer

_DRIVER = "postgresql+psycopg"
_OLDEST = (15,)
"""The first version that has `merge` (docs/outputs.md#warehouse)."""


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Engine]:
    """An engine on the warehouse: the server that the settings name, or the embedded one, borrowed for the block.

    Raises:
        SetupError: the address is not one of PostgreSQL.
        UnreachableError: nobody answers there.
    """
    if settings.warehouse is None:
        with EmbeddedServer(settings.var).borrowed() as url, connected(url) as engine:
            yield engine
    else:
        with connected(server_url(settings.warehouse)) as engine:
            yield engine


def server_url(address: str) -> URL:
    """The URL of the server that the settings name.

    Raises:
        SetupError: it is not a URL, or not one of PostgreSQL.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise SetupError(f"{PREFIX}WAREHOUSE is not a SQLAlchemy URL such as {_DRIVER}://user@host/database.") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SetupError(f"{PREFIX}WAREHOUSE names {url.get_backend_name()}; the warehouse is PostgreSQL.")
    return url.set(drivername=_DRIVER)


@contextmanager
def connected(url: URL) -> Iterator[Engine]:
    """An engine on the server of that address, for the block.

    Raises:
        SetupError: it is too old, or has no such database.
        UnreachableError: nobody answers there.
    """
    engine = create_engine(
        url,
        # A server that was started anew, or a firewall, may have ended what the pool holds.
        pool_pre_ping=True,
        # Logs have a failed statement without the values that it was given.
        hide_parameters=True,
        connect_args={"client_encoding": "UTF8", "connect_timeout": 10, "keepalives_idle": 60},
    )
    event.listen(engine, "connect", _settle_session)
    # Without its password.
    named = f"The warehouse {url.render_as_string()}"
    try:
        try:
            with engine.connect() as connection:
                version = connection.dialect.server_version_info
        except OperationalError as error:
            raise UnreachableError(f"{named} cannot be reached: {_reason(error)}") from None
        except ProgrammingError as error:
            raise SetupError(f"{named} cannot be reached: {_reason(error)}.") from None
        if version is not None and version < _OLDEST:
            raise SetupError(f"{named} is PostgreSQL {version[0]}; {_OLDEST[0]} or newer is needed.")
        yield engine
    finally:
        engine.dispose()


@contextmanager
def transaction(of: Engine | Connection) -> Iterator[Connection]:
    """A transaction for the block: one of its own, or the caller's where that has begun one."""
    if isinstance(of, Connection):
        yield of
    else:
        with of.begin() as connection:
            yield connection


def _settle_session(session: psycopg.Connection, _: object) -> None:
    """Days turn in Shanghai and are written 2019-06-30, whatever the server's or this user's environment says.

    The same inputs give the same bytes (docs/figures.md#restatement-and-proof). PGTZ and PGDATESTYLE in the environment
    go before what a connection asks for when it is opened; so it is said afterwards.
    """
    session.autocommit = True
    session.execute("set timezone to 'Asia/Shanghai'; set datestyle to 'ISO'; set intervalstyle to 'postgres'")
    session.autocommit = False


def _reason(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
