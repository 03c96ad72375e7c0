"""Whether something lies in the inbox that has not been looked at: asked often, and cheap (spec/03, Its life)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from five_precisions.intake.inbox import Inbox
from five_precisions.intake.ledger import first_seen
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings


def find_settled(settings: Settings, period: Period, institution_code: str) -> str | None:
    """The fingerprint of an institution's package whose files have not changed for the settle time; None without one.

    Whether it is complete, and what is in it, only `collect` finds out.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    now = datetime.now(SHANGHAI)
    inbox = Inbox(settings.inbox_address, settings.storage_options("inbox"))
    for delivery in inbox.deliveries(period, institution_code, replay=False):
        if delivery.has_settled(now, timedelta(seconds=settings.settle_seconds)):
            return delivery.fingerprint
    return None


def note_settled(engine: Engine, period: Period, institution_code: str, fingerprint: str) -> None:
    """Keep that a settled package was seen now, for `collect`: it may take a while until someone judges it."""
    with engine.begin() as connection:
        first_seen(connection, period, institution_code, fingerprint)
