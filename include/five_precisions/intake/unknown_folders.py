"""Folders of the inbox that nobody will ever look into: ops get a warning (docs/intake.md#bad-input)."""

from __future__ import annotations

from sqlalchemy import Engine

from five_precisions.errors import UsageError
from five_precisions.intake.findings import shown_text
from five_precisions.intake.inbox import Inbox
from five_precisions.period import Period
from five_precisions.register import Register, read_register
from five_precisions.settings import Settings


def find_unknown_folders(engine: Engine, settings: Settings) -> list[str]:
    """What ops must know of the whole inbox, a sentence for each folder.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    with engine.connect() as connection:
        register = read_register(connection)
    return unknown_folders_of(Inbox.of(settings), register, settings)


def unknown_folders_of(inbox: Inbox, register: Register, settings: Settings, period: Period | None = None) -> list[str]:
    """A sentence for each folder that is no open month, or belongs to no institution open in its month.

    Args:
        inbox: Where to look.
        register: Who delivers.
        settings: Which months this installation works on.
        period: The only month whose folder is looked into; None for all.
    """
    sentences: list[str] = []
    for name in inbox.month_folders():
        try:
            month = Period.parse(name)
        except UsageError:
            sentences.append(f"Nobody looks into the inbox's folder {shown_text(name)!r}: it is no month (YYYY-MM).")
            continue
        try:
            settings.require_usable(month)
        except UsageError as error:
            sentences.append(f"Nobody looks into the inbox's folder {name!r}: {error}")
            continue
        if period in (None, month):
            known = {institution.code for institution in register.open_in(month)}
            sentences += [
                f"{month}: the folder {shown_text(folder)!r} belongs to no institution open in the period"
                for folder in inbox.unknown_folders(month, known)
            ]
    return sentences
