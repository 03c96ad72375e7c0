"""The ledger held against the archive: each file that it names is read whole (docs/intake.md#its-life)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, text

from five_precisions.errors import UsageError
from five_precisions.intake.archive import Archive, Condition, Copy
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

_IS_OPEN = text("select exists (select from registry.period where period = :period)")
_READ_PERIODS = text("select distinct period from intake.submission order by period")
_FIND_UNNAMED = text("""
select stored.sha256
from unnest(cast(:stored as text [])) as stored (sha256)
where not exists (select from intake.file where file.sha256 = stored.sha256)
order by stored.sha256
""")


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that the ledger names and the archive does not give back as it was delivered."""

    condition: Condition
    """Missing, altered or unreadable."""
    reason: str | None
    """Why it is unreadable."""
    sha256: str
    period: str
    institution_code: str
    version: int
    file: str
    """Its name as the ledger has it: masked."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found."""

    files: int
    """Those that the ledger names, each counted once, whoever delivered it how often."""
    faults: tuple[Fault, ...]
    """A file that several versions hold is named for each of them; one that housekeeping took away is none."""
    unnamed: tuple[str, ...]
    """SHA-256 of archived files that no version holds: left by a process that was ended before its ledger was written,
    or of a delivery that is being taken in. They do no harm. Looked for only where all periods are verified."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What `renew` found and did."""

    files: int
    """Those that the ledger names, each counted once."""
    renewed: int
    """Those encrypted anew; the others bore the first key already, or are among the faults."""
    faults: tuple[Fault, ...]
    """Those that are missing, altered or unreadable, named for each version that holds them: left as they are."""
    unnamed: int
    """Archived files that no version holds; those that could be read bear the first key too."""

    @property
    def is_complete(self) -> bool:
        """Whether all that the ledger names was read whole and bears the first key, so that the other keys can go."""
        return not self.faults


def verify(
    engine: Engine,
    settings: Settings,
    period: Period | None = None,
    *,
    report_progress: Callable[[str], None] | None = None,
) -> Verification:
    """Read and decrypt every archived file that the ledger names, and hold it against its SHA-256; nothing is changed.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        period: The only month whose versions are looked at; None for all.
        report_progress: Called with how far it is.

    Raises:
        UsageError: the period was never opened.
        SetupError: the archive's key is missing, or its address cannot be used.
        UnreachableError: the archive does not answer, which says nothing of its files.
    """
    archive = Archive.of(settings)
    if period is not None:
        _require_open(engine, period)
    reading = _Reading(engine, archive.look, report_progress)
    reading.read(period)
    unnamed: list[str] = []
    if period is None:
        for stored in archive.stored():
            unnamed += _find_unnamed(engine, stored)
    return Verification(len(reading.copies), tuple(reading.faults.values()), tuple(unnamed))


def renew(engine: Engine, settings: Settings, *, report_progress: Callable[[str], None] | None = None) -> Renewal:
    """Encrypt anew, with the first key, all that bears another one: each file that the ledger names is read whole.

    It may be ended at any point and run again, by two at once as well. Each file is replaced, in one step, by one of
    the same contents. One that is not whole stays as it is. What is taken in meanwhile is read too.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        report_progress: Called with how far it is.

    Raises:
        SetupError: the archive's key is missing, its address cannot be used, or it cannot be written to.
        UnreachableError: it does not answer.
    """
    archive = Archive.of(settings)
    reading = _Reading(engine, archive.renew, report_progress)
    read = -1
    while len(reading.copies) > read:
        read = len(reading.copies)
        reading.read()
    unnamed = 0
    for stored in archive.stored():
        for sha256 in _find_unnamed(engine, stored):
            archive.renew(sha256)
            unnamed += 1
    renewed = sum(copy.condition is Condition.WHOLE and not copy.bears_first_key for copy in reading.copies.values())
    return Renewal(len(reading.copies), renewed, tuple(reading.faults.values()), unnamed)


class _Reading:
    """The files of the ledger, one month after the other, each read once."""

    def __init__(
        self, engine: Engine, read_file: Callable[[str], Copy], report_progress: Callable[[str], None] | None
    ) -> None:
        self._engine = engine
        self._read_file = read_file
        self._report_progress = report_progress
        self.copies: dict[str, Copy] = {}
        """By SHA-256."""
        self.faults: dict[tuple[object, ...], Fault] = {}
        """By period, institution, version and name."""

    def read(self, period: Period | None = None) -> None:
        """Read what the ledger names now, in a period or in all, and was not read before."""
        with self._engine.connect() as connection:
            periods = [str(period)] if period else connection.execute(_READ_PERIODS).scalars().all()
        for each in periods:
            with self._engine.connect() as connection:
                files = connection.execute(load_statement("intake/archived_files"), {"period": each}).all()
            for number, file in enumerate(files, start=1):
                if self._report_progress is not None:
                    self._report_progress(f"{each}, file {number:,} of {len(files):,}")
                copy = self.copies.get(file.sha256)
                if copy is None:
                    copy = self.copies[file.sha256] = self._read_file(file.sha256)
                is_removed = file.is_removed and copy.condition is Condition.MISSING
                if copy.condition is not Condition.WHOLE and not is_removed:
                    self.faults[(each, file.institution_code, file.version, file.name)] = Fault(
                        condition=copy.condition,
                        reason=copy.reason,
                        sha256=file.sha256,
                        period=each,
                        institution_code=file.institution_code,
                        version=file.version,
                        file=file.name,
                    )


def _require_open(engine: Engine, period: Period) -> None:
    with engine.connect() as connection:
        if not connection.execute(_IS_OPEN, {"period": str(period)}).scalar_one():
            raise UsageError(f"{period} is not open yet: nothing was taken in for it.")


def _find_unnamed(engine: Engine, stored: list[str]) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(_FIND_UNNAMED, {"stored": stored}).scalars())
