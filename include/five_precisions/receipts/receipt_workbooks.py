"""The findings workbook of a receipt, whole and as its mail takes it: of a package just judged, or read back.

See docs/intake.md#the-receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.intake.archive import Archive, ArchiveError
from five_precisions.intake.documents import is_document
from five_precisions.intake.findings import Finding, printable
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.ledger import read_files, read_findings, read_findings_of
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.package_sheets import delivered_name, known_headers, unpack
from five_precisions.intake.reading.files import Limits, Sheet, UnreadableFileError, read_file
from five_precisions.period import SHANGHAI
from five_precisions.receipts.findings_workbook import MaskedSheet, fits_workbook, mask_sheets, render_findings_workbook
from five_precisions.receipts.receipt_wording import Extent
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

logger = logging.getLogger(__name__)

LARGEST_ATTACHMENT: Final = 5_000_000
"""Bytes of the workbook that goes with a mail; servers refuse mails of ten megabytes, and it grows by a third there."""

_COUNT_FINDINGS = text("""
select count(*) from intake.finding where submission_id = :submission_id
""")


_Wanted = Mapping[tuple[str, str, int], set[str | None] | None]
"""Files (name, SHA-256, size), each with the names of the sheets that are wanted; None for all."""


@dataclass(frozen=True, slots=True)
class ReceiptWorkbook:
    """The findings workbook of one receipt."""

    whole: bytes | None
    """None where nothing was found."""
    attached: bytes | None
    """As much of it as a mail takes."""
    extent: Extent


class JudgedSheets:
    """The sheets of a package just judged, as far as its workbook can show them: those that were read, not read again.

    They are masked when a workbook is wanted first, and the delivered ones are let go.
    """

    def __init__(self, files: Sequence[DeliveredFile], judged: JudgedPackage, limits: Limits) -> None:
        """Keep what can be shown.

        Args:
            files: In the order in which the workbook shows them.
            judged: The package, with its sheets.
            limits: Of the installation.
        """
        self._files = files
        self._crowded_out = judged.crowded_out
        self._limits = limits
        self._delivered: dict[str, list[Sheet]] = {}
        for sheet in filter(fits_workbook, judged.sheets):
            self._delivered.setdefault(delivered_name(sheet.file), []).append(sheet)
        self._masked: list[MaskedSheet] | None = None

    def masked(self) -> Sequence[MaskedSheet]:
        """The sheets as they may be shown.

        Raises:
            ChangedWhileReadError: a file that has to be read by itself is no longer the same.
        """
        if self._masked is None:
            self._masked = mask_sheets(self._release())
        return self._masked

    def _release(self) -> Iterator[Sheet]:
        for file in self._files:
            lost = {name for name in self._crowded_out if delivered_name(name) == file.name}
            if lost:
                # They were not judged, for want of room beside the others, but can be shown.
                content = file.read(self._limits.packed_bytes)
                yield from (sheet for sheet in _read_alone(file.name, content, self._limits) if sheet.file in lost)
            delivered = self._delivered.pop(file.name, [])
            while delivered:
                yield delivered.pop(0)


def _read_alone(name: str, content: bytes, limits: Limits) -> list[Sheet]:
    sheets: list[Sheet] = []
    # Of what does not open the version has a finding (F01); of a document it has one, too (F07).
    with suppress(UnreadableFileError):
        for part in unpack(name, content, limits):
            with suppress(UnreadableFileError):
                if not is_document(part.name):
                    sheets += read_file(part.name, part.content, known_headers=known_headers(), limits=limits)
    return sheets


def render_receipt_workbook(
    findings: Sequence[Finding], sheets: JudgedSheets, *, number: str, made_at: datetime, is_demo: bool
) -> ReceiptWorkbook:
    """The workbook of a package just judged; the same bytes as `read_receipt_workbook` gives of its version.

    Args:
        findings: As the ledger gives them back.
        sheets: Those that were judged.
        number: The receipt number.
        made_at: When the package was received.
        is_demo: Whether the institutions are invented.

    Raises:
        ChangedWhileReadError: a file that has to be read by itself is no longer the same.
    """
    masked = sheets.masked() if findings else ()
    return _render(lambda: findings, lambda: len(findings), masked, number=number, made_at=made_at, is_demo=is_demo)


def read_receipt_workbook(connection: Connection, settings: Settings, submission_id: str) -> ReceiptWorkbook:
    """The workbook of a version or a cross check, from ledger and archive.

    Raises:
        SetupError: the archive cannot be used.
    """
    place = read_place(connection, submission_id)
    names = {"submission_id": submission_id}
    return _render(
        lambda: read_findings(connection, submission_id),
        lambda: int(connection.execute(_COUNT_FINDINGS, names).scalar_one()),
        _archived_sheets(connection, settings, place, submission_id),
        number=submission_id,
        made_at=place.made_at,
        is_demo=settings.is_demo,
    )


@dataclass(frozen=True, slots=True)
class CrossFindings:
    """What one cross check has found, and of which sheets."""

    number: str
    """The receipt number."""
    made_at: datetime
    findings: Sequence[Finding]
    checked: _Wanted


def read_cross_findings(connection: Connection, submission_ids: Sequence[str]) -> list[CrossFindings]:
    """What the ledger says of cross checks; each of its tables is read once, however many there are."""
    if not submission_ids:
        return []
    findings = read_findings_of(connection, submission_ids)
    places = read_places(connection, list(findings))
    checked = _read_checked(connection, list(findings))
    return [CrossFindings(number, places[number].made_at, own, checked[number]) for number, own in findings.items()]


Mapped = Callable[[Callable[[CrossFindings], ReceiptWorkbook], Sequence[CrossFindings]], Iterable[ReceiptWorkbook]]
"""What makes the workbooks of cross checks: the function `map`, or one that has other processes do it."""


class CrossWorkbooks:
    """The workbooks of cross checks, made of the archived files; one that is made already is made once only.

    So they can be made before the checks are recorded for good, while nobody waits for the period.
    """

    def __init__(self, settings: Settings, mapped: Mapped = map) -> None:
        """Begin without any.

        Args:
            settings: Of this installation.
            mapped: What makes them.
        """
        self._settings = settings
        self._mapped = mapped
        self._made: dict[str, tuple[CrossFindings, ReceiptWorkbook]] = {}

    def are_made(self, found: Sequence[CrossFindings]) -> bool:
        """Whether the workbooks of exactly these findings are at hand."""
        return not self._missing(found)

    def made(self, found: Sequence[CrossFindings]) -> dict[str, ReceiptWorkbook]:
        """The workbooks by receipt number, made where they are not at hand.

        Raises:
            SetupError: the archive cannot be used.
        """
        missing = self._missing(found)
        if missing:
            workbooks = self._mapped(partial(_render_cross_workbook, self._settings), missing)
            for each, workbook in zip(missing, workbooks, strict=True):
                self._made[each.number] = each, workbook
        return {each.number: self._made[each.number][1] for each in found}

    def _missing(self, found: Sequence[CrossFindings]) -> list[CrossFindings]:
        return [each for each in found if each.number not in self._made or self._made[each.number][0] != each]


def _render_cross_workbook(settings: Settings, found: CrossFindings) -> ReceiptWorkbook:
    return _render(
        partial(iter, found.findings),
        partial(len, found.findings),
        mask_sheets(_read_sheets(settings, found.checked)) if found.findings else (),
        number=found.number,
        made_at=found.made_at,
        is_demo=settings.is_demo,
    )


def read_findings_workbook(connection: Connection, settings: Settings, submission_id: str) -> bytes | None:
    """The whole workbook of a version or a cross check, from ledger and archive; None where nothing was found.

    Raises:
        SetupError: the archive cannot be used.
    """
    place = read_place(connection, submission_id)
    return render_findings_workbook(
        read_findings(connection, submission_id),
        _archived_sheets(connection, settings, place, submission_id),
        number=submission_id,
        created_at=place.made_at.astimezone(SHANGHAI),
        is_demo=settings.is_demo,
    )


def _render(
    findings: Callable[[], Iterable[Finding]],
    count: Callable[[], int],
    sheets: Sequence[MaskedSheet],
    *,
    number: str,
    made_at: datetime,
    is_demo: bool,
) -> ReceiptWorkbook:
    """The workbook as it goes with a mail: whole, else the list alone, else as much of the list as a mail bears."""

    def rendered(sheets: Sequence[MaskedSheet] = (), *, listed: int | None = None) -> bytes | None:
        return render_findings_workbook(
            findings(),
            sheets,
            number=number,
            created_at=made_at.astimezone(SHANGHAI),
            is_demo=is_demo,
            listed=listed,
        )

    whole = rendered(sheets)
    if whole is None or len(whole) <= LARGEST_ATTACHMENT:
        return ReceiptWorkbook(whole, whole, Extent.WHOLE)
    attached = rendered()
    if attached is not None and len(attached) <= LARGEST_ATTACHMENT:
        return ReceiptWorkbook(whole, attached, Extent.LIST)
    listed = count()
    while attached is not None and len(attached) > LARGEST_ATTACHMENT:
        # Findings are about as long as one another; the margin spares a second try.
        listed = max(1, listed * LARGEST_ATTACHMENT * 4 // (5 * len(attached)))
        attached = rendered(listed=listed)
    return ReceiptWorkbook(whole, attached, Extent.PART)


# Read back


@dataclass(frozen=True, slots=True)
class Place:
    """Where a receipt belongs, and whether a findings workbook lies beside it."""

    period: str
    institution_code: str
    edition: str
    made_at: datetime
    is_cross: bool
    """Whether it is a cross check's and not a version's."""
    has_findings: bool


def read_place(connection: Connection, submission_id: str) -> Place:
    """Where the receipt of a version or a cross check belongs."""
    [place] = read_places(connection, [submission_id]).values()
    return place


def read_places(connection: Connection, submission_ids: Sequence[str]) -> dict[str, Place]:
    """Where the receipts of versions and cross checks belong, by number."""
    rows = connection.execute(load_statement("receipts/places"), {"submission_ids": submission_ids})
    return {number: Place(*place) for number, *place in rows}


def _archived_sheets(connection: Connection, settings: Settings, place: Place, submission_id: str) -> list[MaskedSheet]:
    """The sheets as delivered, masked; without a file that is no longer in the archive there are none of it."""
    if not place.has_findings:
        return []
    if not place.is_cross:
        return mask_sheets(_read_sheets(settings, dict.fromkeys(read_files(connection, submission_id))))
    [checked] = _read_checked(connection, [submission_id]).values()
    return mask_sheets(_read_sheets(settings, checked))


def _read_checked(connection: Connection, submission_ids: Sequence[str]) -> dict[str, _Wanted]:
    """The sheets that each of some cross checks looked at."""
    wanted: dict[str, dict[tuple[str, str, int], set[str | None] | None]] = {number: {} for number in submission_ids}
    for row in connection.execute(load_statement("receipts/checked_versions"), {"submission_ids": submission_ids}):
        if row.sha256 is not None:
            own = wanted[row.cross_check_id].setdefault((row.file, row.sha256, row.size), set())
            if own is not None:
                own.add(row.sheet)
    return dict(wanted)


def _read_sheets(settings: Settings, files: _Wanted) -> Iterator[Sheet]:
    """Sheets of archived files (name, SHA-256, size), of each those of the names wanted, or all."""
    archive, limits = Archive.of(settings), Limits.of(settings)
    for (name, sha256, size), wanted in files.items():
        if size > limits.packed_bytes:
            continue
        try:
            content = archive.get(sha256)
        except ArchiveError as error:
            # Past its retention time: the list of findings stays.
            logger.warning("%s is not repeated in the findings workbook: %s", sha256, error)
            continue
        for sheet in _read_alone(delivered_name(name), content, limits):
            title = None if sheet.name is None else printable(sheet.name)
            if wanted is None or (printable(sheet.file) == name and title in wanted):
                yield sheet
