"""The close by an earlier commit's code: a script that benchmarks/large_area.py starts with that code on its path.

`open` makes a warehouse as that code has it, with the register and the month, and an archive; the rows are copied from
the present warehouse.
`close` closes the month and writes what it took to `found.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from five_precisions.intake.closing import close  # type: ignore[import-not-found]
from warehouse_cost import measured

from five_precisions.intake.archive import Archive
from five_precisions.period import Period
from five_precisions.register import load_register, open_period, save_register
from five_precisions.settings import Settings
from five_precisions.warehouse import migrate, open_warehouse


def main(work: str, area: Path, month: Period) -> None:
    """Do one of the two works on the warehouse that the settings name."""
    settings = Settings.load()
    with open_warehouse(settings) as engine:
        if work == "open":
            migrate(engine)
            with engine.begin() as connection:
                save_register(connection, load_register(settings.register_folder))
                open_period(connection, settings, month)
            # It cannot read what the present code has archived.
            archive = Archive.of(settings)
            for path in (area / "inbox" / str(month)).rglob("*.*"):
                archive.put(path.read_bytes())
            found: dict[str, Any] = {}
        else:
            found = measured(area / "var" / "warehouse" / "data", lambda: _closed(engine, settings, month))
    (area / "found.json").write_text(json.dumps(found), encoding="utf-8")


def _closed(engine: Any, settings: Settings, month: Period) -> dict[str, Any]:
    closed = close(engine, settings, month, replay=True)
    return {"reports": closed.frozen_reports, "receipts": len(closed.cross_checks)}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Period.parse(sys.argv[3]))
