"""Until when an institution may deliver, and how ops move it.

See docs/intake.md#deadline; docs/operations.md#by-command-line.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import last_day_of, open_period, read_register
from five_precisions.register.decision import reason_of
from five_precisions.settings import Settings
from five_precisions.warehouse import transaction

logger = logging.getLogger(__name__)

LONGEST_TIME: Final = timedelta(days=366)
"""How far ahead a deadline may lie: no more than a year after its month, or from today on."""
_COLUMNS: Final = """
    deadline.period,
    deadline.institution_code,
    institution.short_name,
    deadline.deadline_at,
    deadline.by_calendar_at,
    deadline.reason,
    deadline.moved_at,
    deadline.is_own
from registry.deadline
inner join registry.institution on deadline.institution_code = institution.code
"""
_READ = text(f"select {_COLUMNS} where deadline.period = :period order by deadline.institution_code")
_READ_ONE = text("""
select deadline_at from registry.deadline where period = :period and institution_code = :institution_code
""")
# Whoever moves a deadline waits for whoever looks whether the last one has passed, and the other way round; neither
# keeps a delivery waiting, which only refers to the period.
_LOCK_TO_CLOSE = text("select deadline_at from registry.period where period = :period for share")
_LOCK_TO_MOVE = text("select deadline_at from registry.period where period = :period for no key update")
_READ_CLOSE = text("select closed_at from intake.close where period = :period")
_MOVE = text("""
insert into registry.deadline_move (period, institution_code, deadline_at, reason)
values (:period, :institution_code, :deadline_at, :reason)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Until when one institution may deliver for one period."""

    period: str
    institution_code: str
    short_name: str
    deadline_at: datetime
    """The first instant that is too late."""
    by_calendar_at: datetime
    """The same, had nobody moved it."""
    reason: str | None
    """Why it was moved; None while the calendar's holds."""
    moved_at: datetime | None
    is_own: bool
    """Whether it was moved for this institution alone."""

    @property
    def last_day(self) -> date:
        """The last day that is in time, in Shanghai."""
        return last_day_of(self.deadline_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDeadline:
    """A decision on a period's deadline."""

    period: str
    institution_code: str | None
    """Whom it concerns; None: every institution."""
    deadline_at: datetime
    reason: str
    overruled: tuple[Deadline, ...]
    """Deadlines of single institutions that ended with it, as they were: ops may have promised them."""


def latest_day(period: Period) -> date:
    """The last day that a deadline of the month can be moved to.

    Of a month long over, which was reopened, more time is given from today on.
    """
    return max(period.end, datetime.now(SHANGHAI).date()) + LONGEST_TIME


def read_deadlines(connection: Connection, period: Period) -> list[Deadline]:
    """The deadline of every institution open in the period, by code; none while the period is not open."""
    there = {each.code for each in read_register(connection).open_in(period)}
    rows = connection.execute(_READ, {"period": str(period)}).mappings()
    return [Deadline(**row) for row in rows if row["institution_code"] in there]


def read_deadline(engine: Engine, settings: Settings, period: Period, institution_code: str) -> datetime:
    """The first instant that is too late for the institution's period; opens the period where it is not open yet."""
    with engine.begin() as connection:
        open_period(connection, settings, period)
        names = {"period": str(period), "institution_code": institution_code}
        deadline: datetime = connection.execute(_READ_ONE, names).scalar_one()
    return deadline


def last_deadline(connection: Connection, period: Period) -> datetime:
    """The last of the deadlines of an opened period: from then on the month can be closed.

    Nobody moves one until the caller's transaction ends.
    """
    by_calendar: datetime = connection.execute(_LOCK_TO_CLOSE, {"period": str(period)}).scalar_one()
    return max((each.deadline_at for each in read_deadlines(connection, period)), default=by_calendar)


def move_deadline(
    warehouse: Engine | Connection,
    settings: Settings,
    period: Period,
    day: date,
    reason: str,
    *,
    institution: str | None = None,
) -> MovedDeadline:
    """Move the deadline of a period, of one institution or of all. What was decided before stays on record.

    Of the decisions that concern an institution the newest holds: a deadline moved for all ends those that single
    institutions had, and they are named in the result.

    Args:
        warehouse: Or a connection to it, whose transaction this becomes a part of.
        settings: Of this installation.
        period: A month; it is opened where it is not open yet.
        day: The last day that is in time, until midnight in Shanghai.
        reason: Why; ops read it later.
        institution: Code of the only institution that it concerns.

    Raises:
        UsageError: the period or the institution is none that delivers, or the reason is empty or too long. Or the day
            is not after the period, or more than a year ahead.
        RefusedError: the period is closed: who was on time is settled there.
    """
    settings.require_usable(period)
    said = reason_of(reason, "A deadline is moved for a reason")
    if day <= period.end:
        raise UsageError(f"{day} does not lie after {period}; a deadline does.")
    latest = latest_day(period)
    if day > latest:
        raise UsageError(f"{day} lies too far ahead; the deadline of {period} can be {latest} at the latest.")
    deadline_at = datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
    with transaction(warehouse) as connection:
        _require_open(connection, period, institution)
        open_period(connection, settings, period)
        connection.execute(_LOCK_TO_MOVE, {"period": str(period)})
        if connection.execute(_READ_CLOSE, {"period": str(period)}).first() is not None:
            raise RefusedError(f"{period} is closed; its deadlines do not move any more.")
        before = read_deadlines(connection, period)
        names = {"period": str(period), "institution_code": institution, "deadline_at": deadline_at, "reason": said}
        connection.execute(_MOVE, names)
    logger.info("The deadline of %s %s is %s: %s", period, institution or "for all", day, said)
    return MovedDeadline(
        period=str(period),
        institution_code=institution,
        deadline_at=deadline_at,
        reason=said,
        overruled=tuple(
            each for each in before if institution is None and each.is_own and each.deadline_at != deadline_at
        ),
    )


def _require_open(connection: Connection, period: Period, institution: str | None) -> None:
    register = read_register(connection)
    if institution is None:
        return
    found = register.institution(institution)
    if found is None:
        raise UsageError(f"{institution} is not an institution of the register.")
    if not found.is_open_in(period):
        raise UsageError(f"{institution} is not open in {period}.")
