"""What every command takes and prints: the kinds of its words; tables, JSON, a line that moves; the findings' code."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from five_precisions.display import inert, is_control
from five_precisions.errors import SetupError, UsageError
from five_precisions.period import Period, Quarter
from five_precisions.rights import as_asked_for
from five_precisions.settings import Settings

out = Console(highlight=False)
# A pipe or a file has no window: nothing is folded there, so that a row stays one line. In a window too narrow for any
# table the terminal breaks the lines.
out.width = max(out.width, 80) if out.is_terminal else 10_000
err = Console(stderr=True, highlight=False)

EXIT_FINDINGS: Final = 1
MOST_ROWS: Final = 1_000_000
"""Rows that a command can be asked to print."""
_LONGEST_NAME: Final = 500


def check_name(value: str | None) -> str | None:
    """Refuse what is no code, key or name of anything before it is looked for; the `callback` of such an option.

    Raises:
        typer.BadParameter: it is empty or too long, or nobody can read it.
    """
    if value is None:
        return None
    if not value.strip():
        raise typer.BadParameter("it is empty.")
    if len(value) > _LONGEST_NAME:
        raise typer.BadParameter(f"it has {len(value)} characters; {_LONGEST_NAME} are the most.")
    for each in filter(is_control, value):
        raise typer.BadParameter(f"it holds the control character U+{ord(each):04X}.")
    return value


def parse_path(text: str) -> Path:
    """A file or folder as it is named; the `parser` of such an option. An empty name would mean where one stands.

    Raises:
        UsageError: nothing can have this name.
    """
    if not text.strip() or "\x00" in text:
        raise UsageError(f"{text!r} names no file or folder.")
    return Path(text)


PeriodArgument = Annotated[Period, typer.Argument(parser=Period.parse, metavar="PERIOD", help="A month, YYYY-MM.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stays on record.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
ReplayOption = Annotated[
    bool, typer.Option("--replay", help="Take file times as delivery times; v1/, v2/ … in order; keep the files.")
]


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A line on a terminal's standard error that moves while the work lasts; nothing in a pipe or a log."""
    with err.status(escape(what)) as line:
        yield lambda step: line.update(escape(f"{what}: {step}"))


def print_json(data: object) -> None:
    """Print data as JSON: decimals (exact) and periods as text, moments in ISO 8601."""
    typer.echo(json.dumps(data, default=_jsonable, ensure_ascii=False, indent=2))


def _jsonable(value: object) -> object:
    # Before the dataclasses that they are: their parts are nobody's business.
    if isinstance(value, Decimal):
        # str() would write a quota of nothing as 0E-20.
        return f"{value:f}"
    if isinstance(value, Period | Quarter):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        computed = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        return {
            name: getattr(value, name) for name in [*(field.name for field in dataclasses.fields(value)), *computed]
        }
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"cannot print {type(value).__name__} as JSON")


def print_table(headings: Sequence[str], rows: Iterable[Iterable[object]], *, whole: str | None = None) -> None:
    """Print rows under headings, or say that there are none.

    A cell too wide for the window goes on several lines, but not in the column headed `whole`: people copy from it.
    """
    table = Table(box=None)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading == whole)
    for row in rows:
        table.add_row(*map(format_cell, row))
    out.print(table if table.row_count else "Nothing to show.")


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and what they are; what is too wide for the window goes on several lines, for nothing may be cut."""
    table = Table("fact", "is", show_header=False, box=None)
    for column in table.columns:
        column.overflow = "fold"
    for name, value in facts:
        table.add_row(name, format_cell(value))
    out.print(table)


def format_cell(value: object) -> str:
    """A value as a cell of a table; what is not there as a dash."""
    if value is None:
        return "—"
    return escape(f"{value:f}" if isinstance(value, Decimal) else str(value))


def format_amount(value: Decimal) -> str:
    """Two decimals, rounded half up once (docs/field.md#amounts)."""
    return f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A file that spreadsheets open as UTF-8, in which no text runs as a formula; numbers are exact.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        with exporting(path), path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([_csv_cell(heading) for heading in headings])
            writer.writerows([_csv_cell(value) for value in row] for row in rows)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def exporting(path: Path) -> Iterator[None]:
    """For the length of a block: what is written to a path that somebody has named is his to share, as his umask says.

    Within `var` it stays its owner's.
    """
    is_ours = path.resolve().is_relative_to(Settings.load().var.resolve())
    with nullcontext() if is_ours else as_asked_for():
        yield


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return inert(value) if isinstance(value, str) else str(value)
