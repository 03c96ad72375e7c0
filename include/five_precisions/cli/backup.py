"""Commands that save: a backup of database and archive in one file, and a restore from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from five_precisions.cli.console import EXIT_FINDINGS, JsonOption, err, out, parse_path, print_json, progress
from five_precisions.errors import SetupError, UsageError
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from five_precisions.housekeeping import Backup

app = typer.Typer()

FileArgument = Annotated[Path, typer.Argument(parser=parse_path, metavar="FILE", help="The backup, one file.")]


@app.command()
def backup(file: FileArgument, as_json: JsonOption = False) -> None:
    """Write database and archive into one file that only you can read, and read it back. Secrets are not in it.

    Exit code 1: the file is whole, but the archive lacks files that the delivery record names.
    """
    from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

    from five_precisions.housekeeping import Task, back_up, record
    from five_precisions.installation import open_installation

    path = str(file.absolute())
    with open_installation(also_lost=True) as (engine, settings), progress("backing up") as show_step:
        made = back_up(engine, settings, LocalFileSystem(), path, report_progress=show_step)
        record(engine, Task.BACKUP, made.words(), made.detail())
    _print(made, as_json=as_json)
    if made.lost:
        sentence = (
            f"{made.lost} files that the delivery record names are missing in the archive, and in the backup; see: "
            "five-precisions verify"
        )
        err.print(sentence, style="yellow", soft_wrap=True)
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Restore database and archive from a backup, into an empty warehouse and archive, and compare every table.

    What has ended it half-way does no harm: run it once more.
    """
    from five_precisions.housekeeping import restore as restore_from
    from five_precisions.warehouse import open_warehouse

    settings = Settings.load()
    try:
        opened = file.open("rb")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    with opened, open_warehouse(settings) as engine, progress("restoring") as show_step:
        restored = restore_from(engine, settings, opened, str(file), report_progress=show_step)
        warning = _foreign_keys(engine, settings)
    _print(restored, as_json=as_json)
    if warning:
        err.print(warning, style="yellow", markup=False, soft_wrap=True)
    err.print("Now run: five-precisions init, then five-precisions verify", soft_wrap=True)


def _print(made: Backup, *, as_json: bool) -> None:
    if as_json:
        print_json(made)
    else:
        out.print(made.words(), markup=False, soft_wrap=True)


def _foreign_keys(engine: Engine, settings: Settings) -> str | None:
    """What is wrong with the keys that are set, for what was restored wants those of its time."""
    from five_precisions.warehouse.keys import ChangedKeyError, require_keys
    from five_precisions.warehouse.schema import require_migrated

    try:
        require_migrated(engine)
        with engine.begin() as connection:
            require_keys(connection, settings)
    except ChangedKeyError as error:
        return str(error)
    except SetupError:
        # Of an older schema `init` says so.
        return None
    return None
