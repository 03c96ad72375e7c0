"""Institutions that the register's files no longer name: shown, and closed by decision.

See docs/own-city.md#register-files.

A line that is lost lets nobody off, and nobody is asked for reports in silence: until ops decide, such an institution
owes as before, and is named. A decision gives it a day of closing, and stays on record; where the files name the
institution again, they hold.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.period import SHANGHAI, Period
from five_precisions.register.decision import reason_of, storable
from five_precisions.register.model import Institution, InstitutionKind
from five_precisions.register.tables import read_register
from five_precisions.warehouse import load_statement

logger = logging.getLogger(__name__)

_FARTHEST: Final = timedelta(days=366)
"""A day of closing ahead of today by more is a slip, and would let it owe as long."""

_FIND = text("""
select code, short_name, kind, opened_on, left_files_at from registry.institution where code = :code for update
""")
_CLOSE = text("update registry.institution set closed_on = :closed_on where code = :code")
_READ_DELIVERED = text("""
select distinct period from intake.submission where institution_code = :code order by period
""")


class InstitutionState(StrEnum):
    """Whether an institution of the warehouse owes reports, and by what."""

    OPEN = "open"
    CLOSED = "closed"
    """It has a day of closing, by the files or by decision."""
    LEFT = "no longer in the files"
    """And nobody has decided: it owes as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A decision of ops on an institution that the files no longer name."""

    institution_code: str
    closed_on: date
    """The first day on which it is closed: it does not count in the month of this day."""
    reason: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredInstitution:
    """An institution as the warehouse has it."""

    code: str
    short_name: str
    kind: InstitutionKind
    division_code: str
    opened_on: date
    closed_on: date | None
    left_files_at: datetime | None
    """When `init` first missed it in the files; None while they name it."""
    closings: tuple[Closing, ...]
    """What was decided on it, oldest first."""

    @property
    def state(self) -> InstitutionState:
        """Whether it owes, and by what."""
        if self.closed_on is not None:
            return InstitutionState.CLOSED
        return InstitutionState.OPEN if self.left_files_at is None else InstitutionState.LEFT

    @property
    def is_closed_by_decision(self) -> bool:
        """Whether a decision holds; one from before the files last named it does not."""
        left_at, newest = self.left_files_at, self.closings[-1:]
        return left_at is not None and any(closing.decided_at >= left_at for closing in newest)


def list_institutions(engine: Engine) -> list[RegisteredInstitution]:
    """Every institution of the warehouse, by code."""
    with engine.connect() as connection:
        rows = connection.execute(load_statement("register/registered")).mappings().all()
        closings = [Closing(**row) for row in connection.execute(load_statement("register/closings")).mappings()]
    return [
        RegisteredInstitution(
            **{**row, "kind": InstitutionKind(row["kind"])},
            closings=tuple(closing for closing in closings if closing.institution_code == row["code"]),
        )
        for row in rows
    ]


def find_undecided(engine: Engine) -> list[Institution]:
    """Institutions that the files no longer name, and whose end nobody has decided, by code."""
    with engine.connect() as connection:
        register = read_register(connection)
    return [each for each in register.institutions if each.code in register.undecided]


def close_institution(engine: Engine, code: str, *, closed_on: date, reason: str, decided_by: str) -> list[Period]:
    """Close an institution that the files no longer name. Decided once more, the newest decision holds.

    What is computed already stays as it is until it is restated.

    Args:
        engine: Of the warehouse.
        code: Whose end it is.
        closed_on: The first day on which it is closed.
        reason: Why; it stays on record.
        decided_by: Who decides.

    Returns:
        The months for which it has delivered, and in which it no longer counts.

    Raises:
        UsageError: there is no such institution, the day lies before its opening or more than a year ahead, or the
            reason is none.
        RefusedError: the files name it, or it is the centre: there it is closed.
    """
    said = reason_of(reason, "An institution is closed for a reason")
    with engine.begin() as connection:
        _require_left(connection, code, closed_on)
        connection.execute(_CLOSE, {"code": code, "closed_on": closed_on})
        decision = {"code": code, "closed_on": closed_on, "reason": said, "decided_by": storable(decided_by)}
        connection.execute(load_statement("register/record_closing"), decision)
        months = map(Period.parse, connection.execute(_READ_DELIVERED, {"code": code}).scalars())
        no_longer = [month for month in months if month.end >= closed_on]
    logger.info("%s is closed on %s, decided by %s: %s", code, closed_on, decision["decided_by"], said)
    return no_longer


def _require_left(connection: Connection, code: str, closed_on: date) -> None:
    found = connection.execute(_FIND, {"code": storable(code)}).first()
    if found is None:
        raise UsageError(f"{code} is not an institution of the register; five-precisions register list shows them.")
    if found.left_files_at is None:
        raise RefusedError(
            f"{code} {found.short_name} stands in institutions.csv; write its closed_on there, and run: "
            "five-precisions init"
        )
    if found.kind == InstitutionKind.CENTRE:
        raise RefusedError(
            f"{code} {found.short_name} is a centre, which closes where the next one opens; write both into "
            "institutions.csv, and run: five-precisions init"
        )
    if closed_on > datetime.now(SHANGHAI).date() + _FARTHEST:
        raise UsageError(f"{closed_on} lies more than a year ahead; until then {code} would owe its reports.")
    if closed_on <= found.opened_on:
        raise UsageError(f"{code} opened on {found.opened_on}; it closes after that.")
