"""An installation's own migrations: what its reports.yaml declares beyond ours (docs/own-city.md#a-new-form).

They lie in the folder `migrations` of the own folder and are numbered by themselves, `own_0001` and on, in a line of
their own: `registry.own_migration` holds how far it has come. Ours are applied first, whichever came earlier, so that
an upgrade of the program and a form of one's own never wait for each other.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from five_precisions.errors import SetupError
from five_precisions.own_files import MIGRATIONS as FOLDER
from five_precisions.own_files import own_folder

_VERSION_TABLE: Final = "own_migration"
_SCHEMA: Final = "registry"
_OPTIONS: Final = {"version_table": _VERSION_TABLE, "version_table_schema": _SCHEMA}
_NUMBERED: Final = re.compile(r"own_([0-9]{4})")
_WRONG_FILE: Final = (ArithmeticError, AttributeError, ImportError, LookupError, NameError, SyntaxError, TypeError)
"""What a file of Python may end with when it is read."""


def own_migrations() -> Path | None:
    """The folder of own migrations; None where there is none.

    Raises:
        SetupError: the own folder is not there.
    """
    own = own_folder()
    folder = None if own is None else own / FOLDER
    return folder if folder is not None and folder.is_dir() else None


def newest_own_revision(script_location: Path) -> str | None:
    """The revision to which the own migrations lead; None without any.

    Raises:
        SetupError: they are no line, or one of them is no migration.
    """
    folder = own_migrations()
    if folder is None or not any(folder.glob("*.py")):
        return None
    script = ScriptDirectory.from_config(_config(folder, script_location))
    try:
        # Of one that is missing Alembic warns, and ends with a bare key.
        with warnings.catch_warnings(action="error", category=UserWarning):
            heads = script.get_heads()
        revisions = [each.revision for each in script.walk_revisions()]
    except (CommandError, OSError, UserWarning, ValueError, *_WRONG_FILE) as error:
        raise SetupError(f"The migrations in {folder} cannot be read: {_reason(error)}.") from error
    if len(heads) != 1:
        raise SetupError(f"The migrations in {folder} are no line: {', '.join(sorted(heads))} have nothing after them.")
    if strange := [each for each in revisions if not _NUMBERED.fullmatch(each)]:
        raise SetupError(f"The migrations in {folder} have the revision {strange[0]}; an own one is called own_0001.")
    return str(heads[0])


def next_own_revision(newest: str | None) -> str:
    """The revision after the newest one."""
    match = None if newest is None else _NUMBERED.fullmatch(newest)
    return f"own_{int(match[1]) + 1 if match else 1:04d}"


def read_own_revision(connection: Connection) -> str | None:
    """How far the warehouse's own migrations have come; None where it has none."""
    there = connection.execute(text(f"select to_regclass('{_SCHEMA}.{_VERSION_TABLE}')")).scalar()
    if there is None:
        return None
    return MigrationContext.configure(connection, opts=_OPTIONS).get_current_revision()


def upgrade_own(connection: Connection, script_location: Path) -> None:
    """Apply the own migrations that the warehouse lacks, after ours.

    Raises:
        SetupError: one of them is wrong or cannot be applied, or the file of one that was applied is gone.
    """
    found = read_own_revision(connection)
    newest = newest_own_revision(script_location)
    require_own_files(found, script_location)
    folder = own_migrations()
    if newest is None or newest == found or folder is None:
        return
    config = _config(folder, script_location)
    config.attributes["connection"] = connection
    config.attributes["options"] = _OPTIONS
    try:
        command.upgrade(config, "head")
    except OperationalError:
        raise
    except (CommandError, DBAPIError, ValueError, *_WRONG_FILE) as error:
        raise SetupError(f"The migrations in {folder} cannot be applied: {_reason(error)}.") from error
    table = f"{_SCHEMA}.{_VERSION_TABLE}"
    connection.exec_driver_sql(f"comment on table {table} is 'the newest migration of the installation itself'")
    connection.exec_driver_sql(f"comment on column {table}.version_num is 'its revision'")


def require_own_files(found: str | None, script_location: Path) -> None:
    """Refuse a warehouse to which a migration was applied whose file is not there, as with another own folder.

    Raises:
        SetupError: so it is.
    """
    if found is None:
        return
    newest = newest_own_revision(script_location)
    folder = own_migrations()
    if newest is None or folder is None or newest < found:
        where = "FIVE_PRECISIONS_REFERENCE names no folder with it" if folder is None else f"it is not in {folder}"
        raise SetupError(f"The warehouse has the own migration {found}, and {where}; put its file back.")


def _config(folder: Path, script_location: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(script_location))
    config.set_main_option("version_locations", _escaped(folder))
    config.set_main_option("path_separator", "newline")
    return config


def _escaped(path: Path) -> str:
    """A path as the configuration reads it, in which % begins the name of a value."""
    return str(path).replace("%", "%%")


def _reason(error: Exception) -> str:
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    lines = words.strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
