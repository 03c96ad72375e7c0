"""The command line (spec/05): the same functions as the DAGs, for repair and exploration.

Exit codes: 0 done, 1 findings above a notice or refused, 2 wrong usage or set-up.
Commands import what they need when they run: `--help` and `status` do not wait for the checks' libraries.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import NoReturn

import typer

from five_precisions.cli import cases, figures, intake, lists, messages, proof, register, restatement, setting_up
from five_precisions.cli.console import err
from five_precisions.errors import FivePrecisionsError, SetupError, sentence_of
from five_precisions.rights import keep_private

app = typer.Typer(
    name="five-precisions",
    help="Five Precisions (五个精准): reports in, figures, assessment and bulletin out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (setting_up, register, intake, figures, proof, cases, restatement, lists, messages):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; an error that is ours, or the machine's, ends it with one sentence and its exit code."""
    from sqlalchemy.exc import OperationalError

    keep_private()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal's encoding does not have is shown by its number, rather than ending the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except FivePrecisionsError as error:
        _end(str(error), error.exit_code)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        _end(f"The connection to the warehouse was lost: {reason}", SetupError.exit_code)
    except OSError as error:
        _end(sentence_of(error), SetupError.exit_code)


def _end(sentence: str, exit_code: int) -> NoReturn:
    err.print(sentence, style="red", markup=False, soft_wrap=True)
    raise SystemExit(exit_code) from None
