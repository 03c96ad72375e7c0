"""Which of the installation's own files a run is made by (docs/own-city.md#what-a-run-says-of-it)."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.own_files import Origin, list_own_files
from five_precisions.settings import Settings

_PARTS: Final = (
    "reference/",
    "sql/alerts/",
    "sql/checks/",
    "sql/facts/",
    "sql/metrics/",
    "sql/assessment/indicators/",
)
_OF_THE_INTAKE: Final = frozenset(
    f"reference/{name}" for name in ("holidays.csv", "hotlines.yaml", "marks.yaml", "rates.csv", "targets.yaml")
)
"""What they decide stands in what was delivered, and the year's targets in the warehouse: a run reads that."""


def own_files_of_run(settings: Settings) -> dict[str, str]:
    """SHA-256 of each own file by which a run is made and that says something else than ours, by its name in include.

    Suites and templates are none: what a suite lets pass stands in the versions, and mails come after the run.

    Raises:
        SetupError: the folder is not there, or holds what would not count.
    """
    return {
        each.name: hashlib.sha256(each.path.read_bytes()).hexdigest()
        for each in list_own_files(settings.reference)
        if each.origin is not Origin.SAME and each.name.startswith(_PARTS) and each.name not in _OF_THE_INTAKE
    }


def read_own_files(connection: Connection, run_id: str) -> tuple[str, ...]:
    """The names of the own files by which a run was made."""
    found = text("select name from mart.run_own_file where run_id = :run_id order by name")
    return tuple(connection.execute(found, {"run_id": run_id}).scalars())
