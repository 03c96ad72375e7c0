"""Results of benchmarks: printed as they come, kept as JSON under benchmarks/results with machine and versions."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import platform
import statistics
import subprocess
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results"
EARLIER: Final = "c3af907"
"""The commit beside which the present one is measured."""
_LIBRARIES: Final = ("great-expectations", "pandas", "apache-airflow", "sqlalchemy", "psycopg", "pyarrow")


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure, with its peer of the same run and the limit of the two."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    limit: float | None = None
    """The highest ratio to the peer; without a peer the highest value."""

    @property
    def ratio(self) -> float | None:
        """How many times the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def compared(self) -> float:
        """What the limit is about."""
        return self.value if self.ratio is None else self.ratio

    @property
    def is_met(self) -> bool | None:
        """Whether the limit holds; None where there is none."""
        return None if self.limit is None else self.compared <= self.limit

    def line(self) -> str:
        """The figure as it is printed."""
        beside = "" if self.ratio is None else f"  {self.ratio:.3g} times {self.peer} ({self.peer_value:.3g})"
        limit = {None: "", True: f"  limit {self.limit:.3g}: met" if self.limit else ""}.get(
            self.is_met, f"  limit {self.limit}: MISSED"
        )
        return f"{self.name:64} {self.value:10.3g} {self.unit}{beside}{limit}"


class Report:
    """The results of one benchmark, in the order in which they come."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        peer: str | None = None,
        peer_value: float | None = None,
        limit: float | None = None,
    ) -> None:
        """Keep and print one."""
        result = Result(name, value, unit, peer, peer_value, limit)
        self.results.append(result)
        print(result.line(), flush=True)

    def keep(self, name: str, of: str) -> None:
        """Write them to benchmarks/results/NAME.json, in place of those of an earlier run."""
        kept = {
            "of": of,
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "commit": _git("rev-parse", "--short", "HEAD").decode().strip(),
            "machine": _machine(),
            "versions": {library: importlib.metadata.version(library) for library in _LIBRARIES},
            "results": [{**asdict(result), "ratio": result.ratio} for result in self.results],
        }
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{name}.json"
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def medians(work: Callable[[], Sequence[dict[str, float]]], runs: int) -> list[dict[str, float]]:
    """Do the work of all sides several times, one after another; of each side the medians of its figures.

    Args:
        work: One round: the figures of every side.
        runs: Rounds.
    """
    rounds = [work() for _ in range(runs)]
    return [
        {name: statistics.median(each[side][name] for each in rounds) for name in own}
        for side, own in enumerate(rounds[0])
    ]


def unpack_earlier(folder: Path) -> Path:
    """Unpack the files of the earlier commit; the folder that they lie in.

    Raises:
        SystemExit: the repository does not have the commit.
    """
    archive = _git("archive", EARLIER)
    if not archive:
        raise SystemExit(f"{EARLIER}, the peer, is not in this repository: fetch its whole history first.")
    earlier = folder / "earlier"
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(earlier, filter="data")
    return earlier


def _machine() -> dict[str, object]:
    system = f"{platform.system()} {platform.machine()}"
    return {"cores": os.cpu_count(), "platform": system, "python": platform.python_version()}


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=False, capture_output=True).stdout  # noqa: S607
