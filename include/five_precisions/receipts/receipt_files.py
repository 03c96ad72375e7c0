"""Receipts and findings workbooks as files of the outbox, each written once (docs/intake.md#the-receipt)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, text

from five_precisions.errors import UnreachableError
from five_precisions.period import Period
from five_precisions.receipts.receipt_wording import (
    Medium,
    receipt_name,
    render_cross_receipt,
    render_receipt,
    workbook_name,
)
from five_precisions.receipts.receipt_workbooks import Place, read_findings_workbook, read_places
from five_precisions.receipts.receipts import read_cross_receipts, read_receipt
from five_precisions.settings import Settings
from five_precisions.storage import open_folder, reaching, read_file, write_whole

logger = logging.getLogger(__name__)

_READ_NUMBERS = text("""
select submission_id from intake.submission where period = :period and institution_code = :institution_code
union all
select submission_id from intake.cross_check where period = :period and institution_code = :institution_code
""")


class OutboxError(UnreachableError):
    """The outbox's store answers and does not take a file: it is full, or the folder cannot be written to."""


def write_receipts(engine: Engine, settings: Settings, rendered: Mapping[str, bytes | None]) -> None:
    """Make sure that receipts lie in the outbox, and their findings workbooks with them.

    A file that is there is left as it is. One that the outbox does not take keeps no other from being written.

    Args:
        engine: The warehouse.
        settings: Of this installation.
        rendered: The findings workbooks by receipt number, where they have just been rendered; they are made anew
            without.

    Raises:
        OutboxError: in the end, what the outbox said of the first that it did not take. Nothing is lost: the next look
            at the delivery writes it.
        UnreachableError: the outbox does not answer.
    """
    if not rendered:
        return
    files, root = open_folder("outbox", settings.outbox_address, settings.storage_options("outbox"))
    refused: list[OutboxError] = []

    @contextmanager
    def noting(number: str) -> Iterator[None]:
        try:
            yield
        except OutboxError as error:
            logger.error("%s: %s", number, error)  # noqa: TRY400
            refused.append(error)

    with engine.connect() as connection:
        places = read_places(connection, list(rendered))
        missing: dict[str, str] = {}
        for number, place in places.items():
            folder = f"{root}/{place.period}/{place.institution_code}"
            with noting(number):
                workbook = f"{folder}/{workbook_name(place.edition)}"
                # The workbook first: where the receipt is, what it speaks of is too.
                if place.has_findings and not _is_there(files, workbook):
                    content = rendered[number] or read_findings_workbook(connection, settings, number)
                    if content is not None:
                        _write(files, workbook, content)
                address = f"{folder}/{receipt_name(place.edition)}"
                if not _is_there(files, address):
                    missing[number] = address
        cross_receipts = read_cross_receipts(connection, [number for number in missing if places[number].is_cross])
        for number, address in missing.items():
            if places[number].is_cross:
                html = render_cross_receipt(cross_receipts.pop(number), Medium.FILE, is_demo=settings.is_demo)
            else:
                html = render_receipt(read_receipt(connection, number), Medium.FILE, is_demo=settings.is_demo)
            with noting(number):
                _write(files, address, html.encode())
    if refused:
        raise refused[0]


def read_written_workbook(settings: Settings, place: Place) -> bytes | None:
    """The findings workbook as it lies in the outbox; None where it is no longer there.

    Raises:
        SetupError: the outbox's address means nothing.
        UnreachableError: the outbox cannot be read.
    """
    path = f"{place.period}/{place.institution_code}/{workbook_name(place.edition)}"
    return read_file("outbox", settings.outbox_address, path, settings.storage_options("outbox"))


def write_page(settings: Settings, period: Period, institution_code: str, name: str, html: str) -> None:
    """Make sure that a page of that name lies in an institution's folder of the outbox; one that is there is left.

    Raises:
        OutboxError: the outbox does not take it.
        UnreachableError: the outbox does not answer.
    """
    files, root = open_folder("outbox", settings.outbox_address, settings.storage_options("outbox"))
    path = f"{root}/{period}/{institution_code}/{name}"
    if not _is_there(files, path):
        _write(files, path, html.encode())


def _is_there(files: Any, path: str) -> bool:
    with _reaching_outbox(files):
        return bool(files.exists(path))


def _write(files: Any, path: str, content: bytes) -> None:
    with _reaching_outbox(files):
        write_whole(files, path, content)


@contextmanager
def _reaching_outbox(files: Any) -> Iterator[None]:
    try:
        with reaching("outbox", files):
            yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutboxError(f"The outbox cannot be written to: {reason}.") from error


def write_missing_receipts(engine: Engine, settings: Settings, period: Period, institution_code: str) -> None:
    """Write the receipts and findings workbooks that a crash between a commit and its files has left out.

    Raises:
        OutboxError: the outbox does not take one.
        UnreachableError: the outbox does not answer.
    """
    with engine.connect() as connection:
        names = {"period": str(period), "institution_code": institution_code}
        numbers = connection.execute(_READ_NUMBERS, names).scalars().all()
    write_receipts(engine, settings, dict.fromkeys(numbers))


def require_outbox(settings: Settings) -> None:
    """Refuse an outbox whose address means nothing, before anything is judged.

    Raises:
        SetupError: it is such an address.
    """
    open_folder("outbox", settings.outbox_address, settings.storage_options("outbox"))
