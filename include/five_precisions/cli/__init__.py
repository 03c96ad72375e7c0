"""The command line (docs/outputs.md): the same functions as the DAGs, for repair and exploration.

Exit codes: 0 done, 1 findings above a notice or refused, 2 wrong usage or set-up.
Commands import what they need when they run: `--help` and `status` do not wait for the checks' libraries.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Final, NoReturn

import typer
from typer.exceptions import TyperException

from five_precisions.cli import (
    backup,
    cases,
    declarations,
    figures,
    intake,
    lists,
    messages,
    proof,
    register,
    restatement,
    setting_up,
)
from five_precisions.cli.console import err
from five_precisions.display import is_control
from five_precisions.errors import FivePrecisionsError, SetupError, sentence_of
from five_precisions.rights import keep_private

_LONGEST_SENTENCE: Final = 2_000
_LINE_BREAKS: Final = "\u2028\u2029"
"""What breaks a line and is no control character."""
_PLUGINS: Final = "five_precisions.commands"
"""Group of the entry points under which an installed package brings commands of its own, each a Typer app."""


@cache
def make_app() -> typer.Typer:
    """The whole command line: the product's commands, and those that installed packages bring.

    Raises:
        SetupError: the commands of an installed package cannot be loaded.
    """
    app = typer.Typer(
        name="five-precisions",
        help="Five Precisions (五个精准): reports in, figures, assessment and bulletin out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.add_typer(setting_up.app)
    for plugin in _installed_commands():
        app.add_typer(plugin)
    app.add_typer(setting_up.warehouse_app, name="warehouse")
    for commands in (declarations, register, intake, figures, proof, cases, restatement, lists, messages, backup):
        app.add_typer(commands.app)
    return app


def _installed_commands() -> Iterator[typer.Typer]:
    """The commands that other installed packages bring, e.g. the demo's.

    Raises:
        SetupError: a package that is there does not import, or lacks the app that it names.
    """
    for point in entry_points(group=_PLUGINS):
        try:
            yield point.load()
        except (ImportError, AttributeError) as error:
            # Who installs the product without the demo has its entry point all the same.
            if isinstance(error, ModuleNotFoundError) and error.name == point.module.partition(".")[0]:
                continue
            raise SetupError(f"The installed commands of {point.value} cannot be loaded: {error}.") from error


def main() -> None:
    """Run the command line; an error that is ours, the user's, or the machine's ends it with one sentence and its code.

    Raises:
        SystemExit: always, but where all is well.
    """
    from sqlalchemy.exc import OperationalError

    keep_private()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal's encoding does not have is shown by its number, rather than ending the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Otherwise Typer would show the usage and a box about what it does not understand.
        exit_code = make_app()(standalone_mode=False)
    except FivePrecisionsError as error:
        _end(str(error), error.exit_code)
    except TyperException as error:
        _end(_typer_sentence(error), error.exit_code)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        _end(f"The connection to the warehouse was lost: {reason}", SetupError.exit_code)
    except OSError as error:
        _end(sentence_of(error), SetupError.exit_code)
    if isinstance(exit_code, int):
        raise SystemExit(exit_code)


def _typer_sentence(error: TyperException) -> str:
    """What is wrong with the words of the command, and where it is said how they go."""
    sentence = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    # A group of commands alone: its help has been shown.
    return f"{sentence.rstrip('.')}; see: {context.command_path} --help" if sentence and context else sentence


def _end(sentence: str, exit_code: int) -> NoReturn:
    if sentence:
        err.print(_on_one_line(sentence), style="red", markup=False, soft_wrap=True)
    raise SystemExit(exit_code) from None


def _on_one_line(sentence: str) -> str:
    """The sentence as a terminal can show it, whatever word of the command it repeats."""
    shown = "".join(
        each.encode("unicode_escape").decode() if is_control(each) or each in _LINE_BREAKS else each
        for each in sentence
    )
    return shown if len(shown) <= _LONGEST_SENTENCE else f"{shown[: _LONGEST_SENTENCE // 2]} … {shown[-300:]}"
