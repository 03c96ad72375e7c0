"""Whether something lies in the inbox that has not been looked at, or is not on record (docs/intake.md#its-life)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from five_precisions.errors import FivePrecisionsError
from five_precisions.intake.inbox import Delivery, Inbox, digest_of
from five_precisions.intake.ledger import find_recorded, first_seen, read_taken
from five_precisions.intake.package_sheets import is_complete
from five_precisions.intake.ruleset import Ruleset, ruleset_of
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import Institution, read_register
from five_precisions.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look at an institution's place in the inbox has found."""

    fingerprint: str | None = None
    """Of the package whose files have not changed for the settle time; None without one."""
    settles_at: datetime | None = None
    """When files that were still changing will have settled, if they change no more; None where there are none."""


def look_for_package(settings: Settings, period: Period, institution_code: str) -> Sighting:
    """Look whether an institution's package has settled, and where it has not, when it may have.

    Whether it is complete, and what is in it, only `collect` finds out.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    now = datetime.now(SHANGHAI)
    settle = timedelta(seconds=settings.settle_seconds)
    inbox = Inbox(settings.inbox_address, settings.storage_options("inbox"))
    settles_at = None
    for delivery in inbox.deliveries(period, institution_code, replay=False):
        if delivery.has_settled(now, settle):
            return Sighting(delivery.fingerprint)
        settles_at = delivery.settles_at(now, settle)
    return Sighting(settles_at=settles_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class LyingFiles:
    """Files that an institution has laid down and that nobody has taken in."""

    period: Period
    institution: Institution
    newest_at: datetime | None
    """When one of them last changed; None where the folder may not be read."""


def find_lying(engine: Engine, settings: Settings, periods: Iterable[Period]) -> list[LyingFiles]:
    """What lies in the inbox of these months and is not on record, whether it is a package or not.

    Only names and times are looked at, so that it may be asked often.

    Raises:
        SetupError: the inbox cannot be used.
        UnreachableError: the inbox does not answer.
    """
    inbox = Inbox.of(settings)
    found: list[LyingFiles] = []
    with engine.connect() as connection:
        register = read_register(connection)
        places = [(period, each.code) for period in periods for each in register.open_in(period)]
        for period, code in inbox.holding(places, in_folders=True):
            institution = register.institution(code)
            taken = read_taken(connection, period, code)
            newest: list[datetime | None] = [None]
            try:
                lying = [each.split(taken)[1] for each in inbox.deliveries(period, code, replay=False)]
            except PermissionError:
                logger.warning("%s %s: the folder may not be read", period, code)
            else:
                newest = [each.newest_at for each in lying if each.files or each.has_reports_in_folders]
            if institution is not None:
                found += [LyingFiles(period=period, institution=institution, newest_at=each) for each in newest]
    return found


def find_settled(settings: Settings, period: Period, institution_code: str) -> str | None:
    """The fingerprint of an institution's package whose files have not changed for the settle time; None without one.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    return look_for_package(settings, period, institution_code).fingerprint


def note_settled(engine: Engine, period: Period, institution_code: str, fingerprint: str) -> None:
    """Keep that a settled package was seen now, for `collect`: it may take a while until someone judges it."""
    with engine.begin() as connection:
        first_seen(connection, period, institution_code, fingerprint)


def find_unrecorded(
    engine: Engine, settings: Settings, period: Period, *, replay: bool, until: Mapping[str, datetime]
) -> list[Institution]:
    """Institutions open in the period whose complete package lies in the inbox and is not on record.

    It is what `collect` would take in, at once or when it has settled. Files without a cover are no package (F08).

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        period: The month.
        replay: Whether the files of what is on record lie there still, and version folders are read.
        until: By institution, the first moment that is too late for a package to count; one that has none in it may
            come at any time.

    Raises:
        SetupError: the inbox or a reference file cannot be used.
        UnreachableError: the inbox does not answer.
    """
    inbox = Inbox.of(settings)
    with engine.connect() as connection:
        register = read_register(connection)
        search = _InboxSearch(connection, inbox, ruleset_of(settings, register, period), replay=replay)
        return [
            institution
            for institution in register.open_in(period)
            if search.finds_one(institution.code, until.get(institution.code))
        ]


class _InboxSearch:
    """One search over the inbox's folders of a month."""

    def __init__(self, connection: Connection, inbox: Inbox, ruleset: Ruleset, *, replay: bool) -> None:
        self._connection = connection
        self._inbox = inbox
        self._ruleset = ruleset
        self._replay = replay

    def finds_one(self, code: str, until: datetime | None) -> bool:
        """Whether a complete package of the institution is not on record, of those last changed before a moment."""
        period = self._ruleset.period
        try:
            for delivery in self._inbox.deliveries(period, code, replay=self._replay):
                own = delivery if self._replay else delivery.split(read_taken(self._connection, period, code))[1]
                if own.files and (until is None or own.newest_at < until) and self._is_unrecorded(own):
                    return True
        except (FivePrecisionsError, SQLAlchemyError):
            raise
        except Exception as error:  # noqa: BLE001 - a folder that may not be read, a file that breaks a reader
            # Whoever takes it in says so; that it lies there is all that counts here.
            logger.warning("%s %s cannot be looked into: %s", period, code, type(error).__name__)
            return True
        return False

    def _is_unrecorded(self, delivery: Delivery) -> bool:
        files = self._inbox.read(delivery)
        if not files:
            return False
        period, code = self._ruleset.period, delivery.institution_code
        if find_recorded(self._connection, period, code, digest_of(files), delivery.newest_at) is not None:
            return False
        return is_complete(files, self._ruleset, replay=self._replay)
