"""Commands that set up: the warehouse, the register, the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from pydantic import SecretStr

from five_precisions.cli.console import JsonOption, err, out, print_json, print_table, progress
from five_precisions.errors import UsageError
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import URL

    from five_precisions.register import Saved

app = typer.Typer()
warehouse_app = typer.Typer(help="The embedded server, for a BI tool or psql.", no_args_is_help=True)


@app.command()
def init() -> None:
    """Create or migrate the warehouse and load the register; say who is no longer in its files.

    What is wrong with a reference file is said first.
    """
    from five_precisions import figures, intake
    from five_precisions.register import load_register, require_fit, save_register
    from five_precisions.warehouse import migrate, open_warehouse
    from five_precisions.warehouse.keys import adopt_keys

    settings = Settings.load()
    register = load_register(settings.register_folder)
    intake.validate_reference(settings)
    figures.validate_reference(settings)
    _require_own_files_readable(settings)
    with progress("preparing the warehouse"), open_warehouse(settings) as engine:
        # Before the migration too: where the register is refused, nothing is changed.
        with engine.connect() as connection:
            require_fit(connection, register)
        left = migrate(engine)
        with engine.begin() as connection:
            adopt_keys(connection, settings)
            saved = save_register(connection, register)
    out.print(
        f"The warehouse is ready: {len(register.institutions)} institutions, {len(register.divisions)} divisions."
    )
    for sentence in _describe_changes(saved):
        err.print(sentence, style="yellow", markup=False, soft_wrap=True)
    if left:
        err.print(
            "Who has the role five_precisions_reader can still make something in this database; the warehouse's role "
            "may not change that. Let the server's administrator run there:",
            style="yellow",
            soft_wrap=True,
        )
        err.print("\n".join(f"{statement};" for statement in left), markup=False, soft_wrap=True)


def _require_own_files_readable(settings: Settings) -> None:
    """Refuse own files that only a later command would read: rules across reports, templates.

    Raises:
        SetupError: one of them is wrong.
    """
    from five_precisions.own_files import own_folder

    if own_folder() is None:
        return
    from five_precisions.declarations import require_files

    require_files(settings)


def _describe_changes(saved: Saved) -> Iterator[str]:
    """What the files no longer name or name again, and what to do about it."""
    for each in saved.undecided:
        yield (
            f"{each.code} {each.short_name} is no longer in institutions.csv and owes its reports as before; write it "
            "in again, with closed_on if it is closed, or run: "
            f"five-precisions register close {each.code} --on DATE --reason TEXT"
        )
    if saved.left_divisions:
        named = ", ".join(f"{each.code} {each.name}" for each in saved.left_divisions)
        yield (
            f"No longer in divisions.csv: {named}; reports may still name them and figures are counted for them, so "
            "write in again what was taken out by mistake."
        )
    for each in saved.returned:
        until = "it is open" if each.closed_on is None else f"it closes on {each.closed_on}"
        yield f"{each.code} {each.short_name} is in institutions.csv again, which holds: {until}."


@app.command("settings")
def show_settings(as_json: JsonOption = False) -> None:
    """What this installation is set to, without its secrets, and which files of its own replace ours or are added."""
    from five_precisions.own_files import list_own_files

    settings = Settings.load()
    own_files = list_own_files(settings.reference)
    if as_json:
        listed = [{"name": each.name, "path": str(each.path), "origin": each.origin} for each in own_files]
        print_json({"settings": _described(settings), "own_files": listed})
        return
    print_table(("setting", "value"), list(_described(settings).items()))
    if settings.reference is None:
        out.print("No file of ours is replaced: FIVE_PRECISIONS_REFERENCE is not set.")
        return
    out.print()
    print_table(("file", "to ours", "stands in"), [(each.name, each.origin, str(each.path)) for each in own_files])
    if not own_files:
        out.print(f"No file of ours is replaced: {settings.reference} holds none that counts.", soft_wrap=True)


def _described(settings: Settings) -> dict[str, str]:
    """Each setting as it may be shown: of what a password may stand in only whether it is set."""
    shown = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value is None:
            shown[name] = ""
        else:
            shown[name] = str(value) if field.repr and not isinstance(value, SecretStr) else "set, not shown"
    return shown


@warehouse_app.command()
def start() -> None:
    """Start the embedded server and keep it until `warehouse stop`."""
    from five_precisions.warehouse.embedded import EmbeddedServer

    _print_address(EmbeddedServer(_embedded_settings().var).start())


@warehouse_app.command()
def stop() -> None:
    """Stop the embedded server."""
    from five_precisions.warehouse.embedded import EmbeddedServer

    stopped = EmbeddedServer(_embedded_settings().var).stop()
    out.print("The embedded server is stopped." if stopped else "The embedded server was not running.")


@warehouse_app.command()
def url() -> None:
    """Print the warehouse's URL, for SQLAlchemy and psql alike; an embedded server that does not run is started."""
    from five_precisions.warehouse.connection import server_url
    from five_precisions.warehouse.embedded import EmbeddedServer

    settings = Settings.load()
    if settings.warehouse is not None:
        _print_address(server_url(settings.warehouse))
    else:
        _print_address(EmbeddedServer(settings.var).start())


def _print_address(address: URL) -> None:
    """An address without the name of a Python driver, which psql and BI tools do not know."""
    plain = address.set(drivername="postgresql")
    out.print(plain.render_as_string(hide_password=False), soft_wrap=True, markup=False)


def _embedded_settings() -> Settings:
    settings = Settings.load()
    if settings.warehouse is not None:
        raise UsageError("FIVE_PRECISIONS_WAREHOUSE names a server; the embedded one is not in use.")
    return settings
