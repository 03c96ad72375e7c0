"""The demo's inbox (docs/operations.md#by-command-line, `demo-data`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from five_precisions.errors import UsageError
from five_precisions.period import SHANGHAI, Period
from five_precisions_demo.city.deliveries import deliver_all
from five_precisions_demo.city.model import found_city
from five_precisions_demo.city.packages import write_delivery
from five_precisions_demo.city.timetable import FIRST, LAST, PERIODS

_DEMO_IS_OVER: Final = LAST.end + timedelta(days=60)
"""Its last packages come some days after the last month."""


def write_inbox(
    out: Path,
    *,
    seed: int = 2019,
    until: Period = LAST,
    report_progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write the golden city's packages from 2019-01 to `until` as `<out>/<period>/<institution>/…` (docs/figures.md).

    The same seed gives byte-identical files; for every seed June 2019 comes to the published figures. What an earlier
    call has written is replaced. File times are the times of delivery.

    Returns:
        every file written, in the order of period, institution and version.

    Raises:
        UsageError: `until` is outside the six months of the demo, or in the folder lies what the demo did not write.
    """
    if not FIRST <= until <= LAST:
        raise UsageError(f"The demo's city is known from {FIRST} to {LAST}; {until} is outside.")
    _refuse_foreign(out)
    city = found_city(seed)
    written: list[Path] = []
    for period in PERIODS:
        if period > until:
            break
        packages: set[str] = set()
        for delivery in deliver_all(city, period):
            code = delivery.institution.code
            packages.add(code)
            written += write_delivery(seed, delivery, out / str(period) / code)
        if report_progress is not None:
            report_progress(f"{period}: {len(packages)} packages")
    return written


def _refuse_foreign(out: Path) -> None:
    """An inbox that somebody delivers into is no place for invented packages, which would be taken for real ones."""
    if not out.is_dir():
        return
    foreign = next((path for path in sorted(out.rglob("*")) if not _is_of_demo(path, out)), None)
    if foreign is not None:
        raise UsageError(f"{foreign} was not written by the demo; name an empty folder for its packages.")


def _is_of_demo(path: Path, out: Path) -> bool:
    """Whether the demo has written it, or no inbox looks at it; its files bear the times of their deliveries."""
    month, *rest = path.relative_to(out).parts
    if month.startswith(".") or (rest and rest[-1].startswith(".")):
        return True
    if month not in map(str, PERIODS):
        return False
    return path.is_dir() or (len(rest) > 1 and FIRST.end < _delivered_on(path) < _DEMO_IS_OVER)


def _delivered_on(path: Path) -> date:
    return datetime.fromtimestamp(path.lstat().st_mtime, SHANGHAI).date()
