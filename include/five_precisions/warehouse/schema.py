"""The warehouse's schema: Alembic migrations, and the partitions of a period."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DuplicateColumn, DuplicateTable, InsufficientPrivilege
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from five_precisions.errors import SetupError
from five_precisions.own_files import found
from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions.reports.declaration import REPORTS_FILE
from five_precisions.warehouse.declared_columns import missing_columns
from five_precisions.warehouse.locks import Lock, hold
from five_precisions.warehouse.own_migrations import (
    newest_own_revision,
    own_migrations,
    read_own_revision,
    require_own_files,
    upgrade_own,
)
from five_precisions.warehouse.reader import confine_reader

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


_MAY_MAKE_TEMPORARY_TABLES = text("select has_database_privilege(current_database(), 'temporary')")


def migrate(engine: Engine, *, is_draft: bool = False) -> list[str]:
    """Create or upgrade every schema to the newest revision, in one transaction: ours, then the installation's own.

    Args:
        engine: Of the warehouse.
        is_draft: Whether a migration is to be written in it, for what it lacks of reports.yaml.

    Returns:
        The statements that the server's administrator must run, for the reader to make nothing; mostly none.

    Raises:
        SetupError: the warehouse's role has not the right to, or a newer program has set it up; an own migration is
            wrong, or is missing for what reports.yaml declares.
    """
    config = alembic_config()
    with engine.connect() as connection:
        require_known_revision(read_revision(connection))
    try:
        with engine.begin() as connection:
            hold(connection, Lock.MIGRATION)
            if not connection.execute(_MAY_MAKE_TEMPORARY_TABLES).scalar_one():
                database, role = connection.execute(text("select current_database(), current_user")).one()
                raise SetupError(
                    f"The warehouse's role may make no temporary tables, with which months are computed; let its "
                    f"administrator run: grant temporary on database {database} to {role}"
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            upgrade_own(connection, MIGRATIONS)
            if not is_draft:
                require_declared(connection)
            _complete_partitions(connection)
            return confine_reader(connection)
    except ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        if isinstance(error.orig, DuplicateColumn | DuplicateTable) and own_migrations() is not None:
            raise SetupError(
                f"A migration of ours makes what an own one has made: {reason}; see docs/own-city.md, A new form."
            ) from error
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise SetupError(
            f"The warehouse cannot be set up: {reason}; its role needs the right to create in the database, and to "
            "create the role five_precisions_reader where that is not there."
        ) from None


def require_migrated(engine: Engine) -> None:
    """Refuse to work on a warehouse that `init` has not brought up to date.

    Raises:
        SetupError: the warehouse has no schema yet, an older one, or a newer one.
    """
    with engine.connect() as connection:
        revision = read_revision(connection)
        require_known_revision(revision)
        if revision != _revisions()[0]:
            state = "is empty" if revision is None else "has an older schema"
            raise SetupError(f"The warehouse {state}; run: five-precisions init")
        own = read_own_revision(connection)
        require_own_files(own, MIGRATIONS)
        if own != newest_own_revision(MIGRATIONS):
            raise SetupError("The warehouse lacks a migration of your own; run: five-precisions init")
        require_declared(connection)


def require_declared(connection: Connection) -> None:
    """Refuse a warehouse that lacks what the installation's own reports.yaml declares; ours goes with our migrations.

    Raises:
        SetupError: a report or a column is missing, or must be filled in where the declaration lets it be empty.
    """
    path = found(REPORTS_FILE)
    if path == REPORTS_FILE:
        return
    for sentence in missing_columns(connection):
        raise SetupError(f"{sentence}, as {path} declares; run: five-precisions declare migration NAME")


def read_revision(connection: Connection) -> str | None:
    """The revision of the schema that the warehouse is at; None where it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def _revisions() -> list[str]:
    """Every revision that this program knows, the newest first."""
    return [each.revision for each in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def require_known_revision(found: str | None, holder: str = "The warehouse") -> None:
    """Refuse a revision of the schema that a newer program has made.

    Args:
        found: The revision; None where there is no schema yet.
        holder: What has it, for the sentence.

    Raises:
        SetupError: it is such a one.
    """
    if found is not None and found not in _revisions():
        raise SetupError(f"{holder} has the schema {found} of a newer Five Precisions; use that one.")


def _complete_partitions(connection: Connection) -> None:
    """A report that has come since a month was opened gets its partition of it."""
    there = set(connection.execute(text("select relname from pg_class where relispartition")).scalars())
    # A slip of the pen that rows hang on (0016_reopening.py) is no month that anything is delivered for.
    months = text("select period from registry.period where period ~ '^2[0-9]{3}-(0[1-9]|1[0-2])$'")
    for month in connection.execute(months).scalars():
        period = Period.parse(month)
        if not there.issuperset(partition_name(report, period) for report in load_reports()):
            create_period_partitions(connection, period)


def partition_name(report: str, period: Period) -> str:
    """The table in the schema `core` that holds a report's delivered rows of a period."""
    return f"delivered_{report}_{period.year:04d}_{period.month:02d}"


def create_period_partitions(connection: Connection, period: Period) -> None:
    """The period's partition of every table of delivered rows; nothing where they are there."""
    hold(connection, Lock.MIGRATION)
    for report in load_reports():
        # Identifiers cannot be bound; both parts come from our own declarations, never from a delivered file.
        connection.exec_driver_sql(
            f"create table if not exists core.{partition_name(report, period)} "
            f"partition of core.delivered_{report} for values in ('{period}')"
        )
