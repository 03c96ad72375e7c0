"""What comes too late: taken in as ever, marked late, and without effect on what was announced.

See docs/intake.md#late.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine

from five_precisions.collection.collecting import collect
from five_precisions.errors import UsageError
from five_precisions.intake.findings import Judgement
from five_precisions.intake.inbox import Inbox
from five_precisions.period import Period
from five_precisions.register import read_register
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement, read_clock

logger = logging.getLogger(__name__)


def collect_late(engine: Engine, settings: Settings, *, now: datetime | None = None) -> list[Judgement]:
    """Take in what lies in the inbox for months that are closed, and of whoever is past a deadline of his own.

    However long ago: only the folders that hold something are looked into. Figures that are announced stay as they are,
    for they are made of what was frozen at the close. One institution's trouble never stops the others. A replay takes
    its deliveries in before the close and has none that are late.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        now: As of when a deadline has passed; the database's time unless given.

    Raises:
        SetupError: a secret is missing, or the inbox, the outbox, the archive or a reference file cannot be used.
    """
    if settings.replay:
        return []
    with engine.connect() as connection:
        places = [
            place for place in _read_over(connection, now or read_clock(connection)) if _is_usable(settings, place[0])
        ]
    judgements: list[Judgement] = []
    for period, code in Inbox.of(settings).holding(places):
        logger.info("%s %s: something lies there, too late", period, code)
        judgements += collect(engine, settings, period, institution=code)
    return judgements


def _read_over(connection: Connection, now: datetime) -> list[tuple[Period, str]]:
    """Periods and institutions open in them whose time is over."""
    register = read_register(connection)
    rows = [
        (Period.parse(row.period), row.institution_code)
        for row in connection.execute(load_statement("collection/places_past_deadline"), {"now": now})
    ]
    there = {period: {each.code for each in register.open_in(period)} for period in {period for period, _ in rows}}
    return [(period, code) for period, code in rows if code in there[period]]


def _is_usable(settings: Settings, period: Period) -> bool:
    """Whether this installation works on the period: FIRST_PERIOD may have come later than the period."""
    try:
        settings.require_usable(period)
    except UsageError:
        return False
    return True
