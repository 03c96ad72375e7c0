"""Months of the golden city taken in and computed: a script that benchmarks/beside_earlier.py starts, on either code.

`golden_months.py VAR MONTHS PROCESSES` works in that folder on the packages that FIVE_PRECISIONS_INBOX names, and
prints what it took as JSON. With the code of the earlier commit on the path it measures that one: by one process.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from warehouse_cost import measured

from five_precisions.figures import assess
from five_precisions.intake import judging
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse

try:
    from five_precisions.collection import close, collect
except ImportError:  # The earlier commit has them elsewhere.
    from five_precisions.intake import close, collect  # type: ignore[attr-defined, no-redef]


class SuiteClock:
    """CPU seconds of holding rows against their suites, in every judgement from now on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._work = judging.suite_findings
        judging.suite_findings = self._timed

    def _timed(self, *arguments: Any, **named: Any) -> Any:
        begin = time.process_time()
        try:
            return self._work(*arguments, **named)
        finally:
            self.seconds += time.process_time() - begin


def load(processes: int) -> dict[str, Any]:
    """Import the libraries before the clock starts, also for other processes; what `collect` is told of those."""
    import great_expectations  # noqa: F401

    if processes == 1:
        return {}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["five_precisions.collection.preloaded"])
    with ProcessPoolExecutor(1, context) as pool:
        pool.submit(int).result()
    return {"processes": processes}


def main(var: Path, months: int, processes: int) -> None:
    """Print seconds and CPU seconds of each step over all months; CPU is that of this process and the server."""
    asked = load(processes)

    os.environ[PREFIX + "VAR"] = str(var)
    for name in ("PII_KEY", "ARCHIVE_KEY"):
        os.environ[PREFIX + name] = secrets.token_urlsafe(48)
    settings = Settings.load()
    clock = SuiteClock()
    figures: dict[str, float] = {}
    with open_warehouse(settings) as engine:
        migrate(engine)
        with engine.begin() as connection:
            save_register(connection, load_register(settings.register_folder))
        for number in range(1, months + 1):
            month = Period(2019, number)
            steps: dict[str, Any] = {
                "collect": lambda month=month: collect(engine, settings, month, replay=True, **asked),
                "close": lambda month=month: close(engine, settings, month, replay=True),
                "assess": lambda month=month: assess(engine, settings, month),
            }
            for name, step in steps.items():
                cost = measured(var / "warehouse" / "data", lambda step=step: step() and {})
                for figure in ("seconds", "cpu"):
                    figures[f"{name} {figure}"] = figures.get(f"{name} {figure}", 0) + cost[figure]
    for figure in ("seconds", "cpu"):
        figures[figure] = sum(figures[f"{name} {figure}"] for name in ("collect", "close", "assess"))
    print(json.dumps({**figures, "suites cpu": clock.seconds, "peak_mb": cost["peak_mb"]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
