"""docs/reference/cli.md: every command with its arguments and options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import typer

from five_precisions_docs.page import code, linked, page, table

_KINDS = {str: "TEXT", int: "NUMBER"}


def commands_page(app: typer.Typer) -> str:
    """The page: a heading for each command, in the order of the help."""
    blocks: list[str] = []
    for name, command in commands(app):
        if getattr(command, "commands", None):
            continue
        rows = [_row(parameter) for parameter in command.params]
        blocks += [
            f"## {name}",
            _usage(name, command),
            linked(inspect.cleandoc(command.help)),
            *([table(["argument or option", "means", "default"], rows)] if rows else []),
        ]
    return page(
        "Command line",
        "the commands' own help",
        "What each is for in the month: [operations.md](../operations.md#by-command-line). Exit codes: 0 done, 1"
        " findings above a notice or refused, 2 wrong usage or set-up.",
        *blocks,
    )


def commands(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    """Every command and group of commands under its full name.

    Raises:
        LookupError: one has no help.
    """
    program = typer.main.get_command(app)
    yield from _under(str(program.name), program)


def _under(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    for own, command in group.commands.items():
        full = f"{name} {own}"
        if not command.help:
            raise LookupError(f"The command {full} has no help.")
        yield full, command
        if getattr(command, "commands", None):
            yield from _under(full, command)


def _usage(name: str, command: Any) -> str:
    arguments = [
        _metavar(parameter) if parameter.required else f"[{_metavar(parameter)}]"
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]
    has_options = any(parameter.param_type_name == "option" for parameter in command.params)
    return "    " + " ".join([name, *arguments, *(["[OPTIONS]"] if has_options else [])])


def _row(parameter: Any) -> list[str]:
    if not parameter.help:
        raise LookupError(f"The parameter {parameter.name} has no help.")
    if parameter.param_type_name == "argument":
        shown = _metavar(parameter)
    else:
        value = "" if parameter.is_flag else f" {_metavar(parameter)}"
        shown = ", ".join(each + value for each in [*parameter.opts, *parameter.secondary_opts])
    need = "required" if parameter.required else ""
    has_default = parameter.default not in (None, False)
    return [code(shown), parameter.help, code(str(parameter.default)) if has_default else need]


def _metavar(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar).strip("[]")
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    annotation = parameter.type_descriptor.annotation
    kinds = [_KINDS[each] for each in (annotation, *get_args(annotation)) if each in _KINDS]
    if not kinds:
        raise LookupError(f"The parameter {parameter.name} does not say what it takes: it wants a metavar.")
    return kinds[0]
