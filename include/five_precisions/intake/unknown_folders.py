"""Folders of the inbox that nobody will ever look into: ops get a warning (docs/intake.md#bad-input)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine

from five_precisions.errors import UsageError
from five_precisions.intake.findings import shown_text
from five_precisions.intake.inbox import Inbox
from five_precisions.period import Period
from five_precisions.register import Register, read_register
from five_precisions.settings import Settings


class Unread(StrEnum):
    """Why nobody looks into a folder."""

    NO_MONTH = "no_month"
    NOT_WORKED_ON = "not_worked_on"
    """It is a month that has not begun, or that this installation does not work on."""
    NO_INSTITUTION = "no_institution"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFolder:
    """A folder of the inbox that nobody will ever look into."""

    name: str
    """As it may be shown: a long number in it is masked."""
    why: Unread
    period: Period | None = None
    """The month that it is, or in whose folder it lies; None where it is no month."""
    refusal: str | None = None
    """Why the installation does not work on that month."""

    @property
    def sentence(self) -> str:
        """What logs and the digest say of it."""
        if self.why is Unread.NO_INSTITUTION:
            return f"{self.period}: the folder {self.name!r} belongs to no institution open in the period"
        why = self.refusal or "it is no month (YYYY-MM)."
        return f"Nobody looks into the inbox's folder {self.name!r}: {why}"


def find_unknown_folders(engine: Engine, settings: Settings) -> list[UnknownFolder]:
    """What ops must know of the whole inbox.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    with engine.connect() as connection:
        register = read_register(connection)
    return unknown_folders_of(Inbox.of(settings), register, settings)


def unknown_folders_of(
    inbox: Inbox, register: Register, settings: Settings, period: Period | None = None
) -> list[UnknownFolder]:
    """The folders that are no open month, or belong to no institution open in their month.

    Args:
        inbox: Where to look.
        register: Who delivers.
        settings: Which months this installation works on.
        period: The only month whose folder is looked into; None for all.
    """
    found: list[UnknownFolder] = []
    for name in inbox.month_folders():
        try:
            month = Period.parse(name)
        except UsageError:
            found.append(UnknownFolder(name=shown_text(name), why=Unread.NO_MONTH))
            continue
        try:
            settings.require_usable(month)
        except UsageError as error:
            found.append(UnknownFolder(name=name, why=Unread.NOT_WORKED_ON, period=month, refusal=str(error)))
            continue
        if period in (None, month):
            known = {institution.code for institution in register.open_in(month)}
            found += [
                UnknownFolder(name=shown_text(folder), why=Unread.NO_INSTITUTION, period=month)
                for folder in inbox.unknown_folders(month, known)
            ]
    return found
