"""The golden city beside the earlier commit, each pair in one run (`make bench`, `make bench-quick`).

Both codes run with the libraries of the present lock, on the same packages, in turns. `--whole` also has both make
their demo and run their tests, each in a clone with its own `make install`: hours, with nothing else running.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from report import EARLIER, ROOT, Report, medians, unpack_earlier

from five_precisions.period import Period
from five_precisions.settings import PREFIX
from five_precisions_demo.city import write_inbox

MONTHS: Final = 6
FIRST_PORT: Final = 8180
_BY_SEVERAL: Final = ("seconds", "collect seconds")
"""Figures that are also measured with as many processes as there are cores; the earlier commit knows one."""
_FIGURES: Final = {
    "seconds": "collect, close and assess, seconds",
    "seconds by several processes": "collect, close and assess, seconds by several processes",
    "cpu": "collect, close and assess, CPU",
    "suites cpu": "judging their suites, CPU",
    "peak_mb": "peak memory of the process",
}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description="The golden city beside the earlier commit.")
    parser.add_argument("--months", type=int, default=MONTHS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="the demo and the tests of both, too")
    parser.add_argument("--name", default="beside-earlier", help="of the file that keeps the results")
    asked = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _compare_months(report, folder, asked.months, asked.runs)
        if asked.whole:
            _compare_targets(report, folder, asked.runs)
    report.keep(asked.name, f"{asked.months} golden months, medians of {asked.runs}")


def _compare_months(report: Report, folder: Path, months: int, runs: int) -> None:
    inbox = folder / "inbox"
    write_inbox(inbox, until=Period(2019, months))
    earlier = unpack_earlier(folder)
    scripts = folder / "scripts"
    scripts.mkdir()
    for script in ("golden_months.py", "warehouse_cost.py"):
        shutil.copy(ROOT / "benchmarks" / script, scripts)

    def round_of_both() -> list[dict[str, float]]:
        now, then = (_months_of(code, scripts, inbox, folder, months) for code in (ROOT, earlier))
        several = _months_of(ROOT, scripts, inbox, folder, months, processes=os.cpu_count() or 1)
        for figure in _BY_SEVERAL:
            now[f"{figure} by several processes"], then[f"{figure} by several processes"] = (
                several[figure],
                then[figure],
            )
        return [now, then]

    ours, theirs = medians(round_of_both, runs)
    named = f"{months} golden months" if months > 1 else "a golden month"
    limits = {"seconds by several processes": 1 / 3, "cpu": 1 / 3, "suites cpu": 1 / 10}
    units = {"peak_mb": "MB"}
    for figure, value in ours.items():
        name = f"{named}, {_FIGURES.get(figure, figure)}"
        report.add(name, value, units.get(figure, "s"), EARLIER, theirs[figure], limits.get(figure))


def _months_of(
    code: Path, scripts: Path, inbox: Path, folder: Path, months: int, *, processes: int = 1
) -> dict[str, float]:
    """What one of the two codes takes, in a fresh process and a warehouse of its own."""
    var = folder / "var"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {"PYTHONPATH": str(code / "include"), PREFIX + "INBOX": str(inbox)}
    command = [sys.executable, str(scripts / "golden_months.py"), str(var), str(months), str(processes)]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    shutil.rmtree(var)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _compare_targets(report: Report, folder: Path, runs: int) -> None:
    """`make demo` and `make test` in clones of both."""
    clones = [_clone(folder / "present", "HEAD"), _clone(folder / "at-earlier", EARLIER)]

    def round_of_both() -> list[dict[str, float]]:
        return [_targets_of(clone, FIRST_PORT + side) for side, clone in enumerate(clones)]

    ours, theirs = medians(round_of_both, runs)
    for target, limit in (("demo", 0.5), ("test", 0.6)):
        report.add(f"make {target}", ours[target], "s", EARLIER, theirs[target], limit)


def _clone(folder: Path, commit: str) -> Path:
    for command in (
        ["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(folder)],
        ["git", "-C", str(folder), "checkout", "--quiet", commit],
        ["make", "-C", str(folder), "install"],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def _targets_of(clone: Path, port: int) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for target in ("demo", "test"):
        begin = time.perf_counter()
        subprocess.run(["make", "-C", str(clone), target, f"PORT={port}"], check=True, stdout=subprocess.DEVNULL)  # noqa: S607
        seconds[target] = time.perf_counter() - begin
        if target == "demo":
            subprocess.run(["make", "-C", str(clone), "down"], check=True, stdout=subprocess.DEVNULL)  # noqa: S607
    return seconds


if __name__ == "__main__":
    main()
