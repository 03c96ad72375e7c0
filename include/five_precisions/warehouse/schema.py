"""The warehouse's schema: Alembic migrations, and the partitions of a period."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.reports import load_reports

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 5_201_900
"""Key of the advisory lock under which one process at a time migrates or makes partitions."""


def alembic_config() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(engine: Engine) -> None:
    """Create or upgrade every schema to the newest revision, in one transaction."""
    config = alembic_config()
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_migrated(engine: Engine) -> None:
    """Refuse to work on a warehouse that `init` has not brought up to date.

    Raises:
        SetupError: the warehouse has no schema yet, or an older one.
    """
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != ScriptDirectory.from_config(alembic_config()).get_current_head():
        state = "is empty" if found is None else "has an older schema"
        raise SetupError(f"The warehouse {state}; run: five-precisions init")


def partition_name(report: str, period: Period) -> str:
    """The table in the schema `core` that holds a report's delivered rows of a period."""
    return f"delivered_{report}_{period.year:04d}_{period.month:02d}"


def create_period_partitions(connection: Connection, period: Period) -> None:
    """The period's partition of every table of delivered rows; nothing where they are there."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
    for report in load_reports():
        # Identifiers cannot be bound; both parts come from our own declarations, never from a delivered file.
        connection.exec_driver_sql(
            f"create table if not exists core.{partition_name(report, period)} "
            f"partition of core.delivered_{report} for values in ('{period}')"
        )
