"""Commands about what is declared: whether it all fits together, and the migration that a new form needs."""

from __future__ import annotations

from typing import Annotated

import typer

from five_precisions.cli.console import JsonOption, check_name, err, out, print_json, print_table, progress
from five_precisions.errors import SetupError
from five_precisions.settings import Settings

app = typer.Typer()
declare_app = typer.Typer(help="Reports, rules, figures and wording, ours and your own.", no_args_is_help=True)
app.add_typer(declare_app, name="declare")


@declare_app.command("check")
def check_all(as_json: JsonOption = False) -> None:
    """Hold all declarations against each other and against the warehouse; every mistake is named."""
    from five_precisions.declarations import check_declarations

    settings = Settings.load()
    with progress("reading what is declared"):
        found = check_declarations(settings)
    if as_json:
        print_json(found)
    else:
        for remark in found.remarks:
            err.print(remark, style="yellow", markup=False, soft_wrap=True)
        for mistake in found.mistakes:
            err.print(mistake, style="red", markup=False, soft_wrap=True)
        if found.counted:
            print_table(
                ("declared", "how many", "your own files"),
                [(each.what, each.count, ", ".join(each.own)) for each in found.counted],
            )
    if found.mistakes:
        raise typer.Exit(SetupError.exit_code)


@declare_app.command("migration")
def write_migration(
    name: Annotated[str, typer.Argument(callback=check_name, help="What it brings, e.g. forms_2020.")],
) -> None:
    """Write the migration for reports and columns of your own that the warehouse lacks; look it through, then init."""
    from five_precisions.warehouse.draft_migration import draft_own

    Settings.load()
    with progress("writing the migration"):
        path = draft_own(name)
    out.print(f"{path}", markup=False, soft_wrap=True)
    out.print("Look it through; five-precisions init applies it.")
