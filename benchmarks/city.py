"""How long the golden city's six months take, from packages to figures, and how much memory (`make bench`).

The peer of `collect` is a bare read of the same files by pandas: what any reader of these packages pays at least.
"""

from __future__ import annotations

import os
import resource
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from five_precisions.demo import write_inbox
from five_precisions.figures import assess
from five_precisions.intake import close, collect
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse

MONTHS = [Period(2019, month) for month in range(1, 7)]


def main() -> None:
    """Print seconds per step and month, and the peak memory of this process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        seconds: dict[tuple[str, str], float] = {}

        @contextmanager
        def timed(step: str, month: object = "all") -> Iterator[None]:
            begin = time.perf_counter()
            yield
            seconds[step, str(month)] = time.perf_counter() - begin

        with timed("demo-data"):
            write_inbox(Path(settings.inbox_address))
        with timed("import of the checks"):
            import great_expectations  # noqa: F401
        for month in MONTHS:
            with timed("bare read", month):
                _read_barely(Path(settings.inbox_address) / str(month))
        with open_warehouse(settings) as engine:
            migrate(engine)
            with engine.begin() as connection:
                save_register(connection, load_register(settings.register_folder))
            for month in MONTHS:
                with timed("collect", month):
                    collect(engine, settings, month, replay=True)
                with timed("close", month):
                    close(engine, settings, month, replay=True)
                with timed("assess", month):
                    assess(engine, settings, month)
    _print(seconds)


def _settings(folder: Path) -> Settings:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            del os.environ[name]
    os.environ[PREFIX + "VAR"] = str(folder / "var")
    os.environ[PREFIX + "PII_KEY"] = secrets.token_urlsafe(48)
    os.environ[PREFIX + "ARCHIVE_KEY"] = secrets.token_urlsafe(48)
    return Settings.load()


def _read_barely(folder: Path) -> None:
    read: dict[str, Callable[[Path], object]] = {
        ".xlsx": lambda path: pd.read_excel(path, sheet_name=None, header=None, dtype=str, engine="calamine"),
        ".csv": lambda path: path.read_bytes(),
    }
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            read[path.suffix](path)


def _print(seconds: dict[tuple[str, str], float]) -> None:
    steps = list(dict.fromkeys(step for step, _ in seconds))
    table = Table("seconds", *map(str, MONTHS), "all", box=None)
    for step in steps:
        monthly = [seconds.get((step, str(month))) for month in MONTHS]
        whole = seconds.get((step, "all"), sum(value for value in monthly if value is not None))
        table.add_row(step, *("" if value is None else f"{value:.1f}" for value in monthly), f"{whole:.1f}")
    console = Console()
    console.print(table)
    taken_in = sum(value for (step, _), value in seconds.items() if step in {"collect", "close", "assess"})
    console.print(f"six months taken in and computed: {taken_in:.1f} s on {os.cpu_count()} cores (aim: under 90 s)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"peak memory of the process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
