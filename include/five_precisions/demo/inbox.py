"""The demo's inbox (spec/05, `demo-data`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from five_precisions.demo.city import found_city
from five_precisions.demo.deliveries import deliver_all
from five_precisions.demo.packages import write_delivery
from five_precisions.demo.timetable import FIRST, LAST, PERIODS
from five_precisions.errors import UsageError
from five_precisions.period import Period


def write_inbox(
    out: Path,
    *,
    seed: int = 2019,
    until: Period = LAST,
    report_progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write the golden city's packages from 2019-01 to `until` as `<out>/<period>/<institution>/…` (spec/04).

    The same seed gives byte-identical files; for every seed June 2019 comes to the published figures. Files already
    there under the same names are replaced, others are left alone. File times are the times of delivery.

    Returns:
        every file written, in the order of period, institution and version.

    Raises:
        UsageError: `until` is outside the six months of the demo.
    """
    if not FIRST <= until <= LAST:
        raise UsageError(f"The demo's city is known from {FIRST} to {LAST}; {until} is outside.")
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
