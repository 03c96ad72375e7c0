"""The demo's command of the command line: its inbox (docs/operations.md#by-command-line)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from five_precisions.cli.console import out, parse_path, progress
from five_precisions.period import Period

app = typer.Typer()

_LARGEST_SEED: Final = 2**32 - 1


@app.command("demo-data")
def demo_data(
    out_folder: Annotated[
        Path, typer.Option("--out", parser=parse_path, metavar="FOLDER", help="It becomes the demo's inbox.")
    ],
    seed: Annotated[int, typer.Option(min=0, max=_LARGEST_SEED, help="The same seed gives the same bytes.")] = 2019,
    # Typer hands a default to the parser as it does a word of the command line.
    until: Annotated[
        Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="Last month to write.")
    ] = "2019-06",  # type: ignore[assignment]
) -> None:
    """Write the demo inbox: the packages of an invented city, 2019-01 to 2019-06."""
    from five_precisions_demo.city import write_inbox

    with progress("writing the demo inbox") as show_step:
        written = write_inbox(out_folder, seed=seed, until=until, report_progress=show_step)
    out.print(f"{len(written)} files in {out_folder}")
