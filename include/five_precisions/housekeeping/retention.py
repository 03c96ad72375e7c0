"""What does not stay for ever, and what is made before it is wanted (docs/operations.md#housekeeping)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, text

from five_precisions.intake.archive import Archive
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse import create_period_partitions, load_statement, read_clock

MONTHS_AHEAD: Final = 2
"""For which partitions are made beside this month's: time for three people to notice that nothing makes them."""
_RECORD_REMOVED = text("insert into intake.removed_file (sha256) values (:sha256)")
# A long reader holds up a new partition, and whoever comes behind it.
_WAIT_SHORTLY: Final = "set local lock_timeout = '30s'"


def remove_superseded(engine: Engine, settings: Settings) -> int:
    """Take files out of the archive that are old and that no figure rests on; how many.

    A file is old when every version that holds it came more than `keep_archive_years` ago. It is superseded when none
    of them stands, was frozen at a close, or went into a run.

    Raises:
        NotArchivedError: the archive cannot be written to.
        UnreachableError: it does not answer.
    """
    if settings.keep_archive_years is None:
        return 0
    archive = Archive.as_stored(settings)
    with engine.connect() as connection:
        now = read_clock(connection)
        # The 29th of February has no day of its name in most years.
        before = now.replace(year=now.year - settings.keep_archive_years, day=min(now.day, 28))
        statement = load_statement("housekeeping/superseded_files")
        old = connection.execute(statement, {"before": before}).scalars().all()
    for sha256 in old:
        # Ended in between, the file is gone and not on record: the next time puts it there.
        with engine.begin() as connection:
            connection.execute(_RECORD_REMOVED, {"sha256": sha256})
            archive.remove(sha256)
    return len(old)


def make_partitions_ahead(engine: Engine, settings: Settings) -> list[Period]:
    """Make the partitions of this month and the next ones, up to the last that is worked on; the months."""
    months = [Period.current()]
    while len(months) <= MONTHS_AHEAD:
        months.append(months[-1].next())
    months = [month for month in months if settings.last_period is None or month <= settings.last_period]
    for month in months:
        with engine.begin() as connection:
            connection.exec_driver_sql(_WAIT_SHORTLY)
            create_period_partitions(connection, month)
    return months
