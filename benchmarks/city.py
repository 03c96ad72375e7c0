"""How long the golden city's six months take, from packages to bulletin, and how much memory (`make bench`).

The peer of `collect` is a bare read of the same files by pandas: what any reader of these packages pays at least. The
peers of the bulletin's parts are the same libraries without our layout: plain charts, a bare page, tables by pandas.
"""

from __future__ import annotations

import functools
import io
import os
import resource
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pandas as pd
import typst
import vl_convert
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from five_precisions.bulletin.compose import compose
from five_precisions.bulletin.document import Bulletin
from five_precisions.bulletin.invariants import require_sound
from five_precisions.bulletin.letter import render_letter
from five_precisions.bulletin.pdf import render_pdf
from five_precisions.bulletin.quarter import QuarterResults
from five_precisions.bulletin.results import read_results
from five_precisions.bulletin.workbook import render_workbook
from five_precisions.collection import close, collect
from five_precisions.figures import assess
from five_precisions.period import Period, Quarter
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse
from five_precisions_demo.city import write_inbox

Result = TypeVar("Result")
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
            _print_bulletin(engine, settings)


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


def _print_bulletin(engine: Engine, settings: Settings) -> None:
    """Print what a quarter's bulletin takes to render: the first time, and again in the same, warm process."""
    table = Table("rendering a quarter, seconds", "first", "warm", "peer, warm", box=None)
    parts: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Result]) -> Result:
        begin = time.perf_counter()
        result = work()
        parts.setdefault(name, []).append(time.perf_counter() - begin)
        return result

    for quarter in (Quarter(2019, 1), Quarter(2019, 2)):
        with engine.connect() as connection:
            results = timed(
                "read results",
                functools.partial(read_results, connection, settings, quarter.last_month, Period(quarter.year - 1, 12)),
            )
        quarter_results = QuarterResults(quarter, results, quarter.last_month.end)
        bulletin = timed("sentences, tables, charts", functools.partial(compose, quarter_results, is_demo=True))
        timed("invariants", functools.partial(require_sound, bulletin, quarter_results))
        pdf = timed("PDF", functools.partial(render_pdf, bulletin))
        workbook = timed("workbook", functools.partial(render_workbook, bulletin))
        readers = [*(bank.code for bank in results.banks), *(f"C{number:02}" for number in range(1, 5)), None]
        letters = timed("17 mails", lambda: [render_letter(bulletin, results, reader) for reader in readers])  # noqa: B023
    peers = {
        "sentences, tables, charts": _plain_charts,
        "PDF": lambda: typst.compile(b"A page."),
        "workbook": functools.partial(_plain_workbook, bulletin),
    }
    for name, (first, warm) in parts.items():
        peer = ""
        if name in peers:
            peers[name]()
            begin = time.perf_counter()
            peers[name]()
            peer = f"{time.perf_counter() - begin:.2f}"
        table.add_row(name, f"{first:.2f}", f"{warm:.2f}", peer)
    first, warm = (sum(times[run] for times in parts.values()) for run in (0, 1))
    table.add_row("all (aim: under 10 s warm)", f"{first:.2f}", f"{warm:.2f}")
    console = Console()
    console.print(table)
    largest = max(len(html.encode()) for _, html in letters)
    console.print(f"PDF {len(pdf):,} bytes, workbook {len(workbook):,}, largest of {len(letters)} mails {largest:,}")


def _plain_charts() -> None:
    """Five bar charts of twelve bars as Altair draws them by itself."""
    import altair as alt

    for _ in range(5):
        data = alt.InlineData(values=[{"bank": f"B{number}", "value": number} for number in range(12)])
        chart = alt.Chart(data).mark_bar().encode(x="value:Q", y="bank:N")
        vl_convert.vegalite_to_svg(chart.to_dict())


def _plain_workbook(bulletin: Bulletin) -> None:
    with pd.ExcelWriter(io.BytesIO(), engine="xlsxwriter") as writer:
        for table in bulletin.tables:
            rows = [["" if cell is None else str(cell) for cell in row] for row in table.rows]
            pd.DataFrame(rows).to_excel(writer, sheet_name=table.code)


if __name__ == "__main__":
    main()
