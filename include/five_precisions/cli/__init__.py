"""The command line (spec/05): the same functions as the DAGs, for repair and exploration.

Exit codes: 0 done, 1 findings above a notice or refused, 2 wrong usage or set-up.
Commands import what they need when they run: `--help` and `status` do not wait for the checks' libraries.
"""

from __future__ import annotations

import logging

import typer

from five_precisions.cli import cases, figures, intake, lists, messages, proof, restatement, setting_up
from five_precisions.cli.console import err
from five_precisions.errors import FivePrecisionsError, SetupError

app = typer.Typer(
    name="five-precisions",
    help="Five Precisions (五个精准): reports in, figures, assessment and bulletin out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (setting_up, intake, figures, proof, cases, restatement, lists, messages):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; an error that is ours ends it with one sentence and its exit code."""
    from sqlalchemy.exc import OperationalError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except FivePrecisionsError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        err.print(f"The connection to the warehouse was lost: {reason}", style="red", markup=False, soft_wrap=True)
        raise SystemExit(SetupError.exit_code) from None
