"""Cases as ops see them, and what they decide on them (docs/figures.md#alerts; docs/operations.md#by-command-line).

A decision concerns the newest assessed month and the months after it. A case that is set aside counts nowhere from the
next run on, up to its end date. A revision of a month before the decision is not touched by it. Decisions are only
added; of those on one case the newest holds, so that one is taken back by another.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures.alerts import AlertLevel
from five_precisions.period import Period
from five_precisions.register.decision import reason_of, storable
from five_precisions.warehouse import load_statement, transaction

logger = logging.getLogger(__name__)

_NEWEST_MONTH = text("select max(period) from mart.current_run")
_RULES = text("select distinct rule from mart.case_state")
_INSTITUTIONS = text("select code from registry.institution")


class CaseState(StrEnum):
    """What a case is after a run."""

    OPEN = "open"
    SET_ASIDE = "set_aside"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What ops have decided on a case."""

    decision_number: int
    case_id: str
    from_period: str
    """The newest assessed month when it was decided, and the first that it concerns."""
    until: date | None
    """The last day on which the case counts nowhere; None takes an earlier decision back."""
    reason: str
    decided_by: str
    decided_at: datetime

    def sets_aside(self, period: Period) -> bool:
        """Whether by it the case counts nowhere at the end of that month."""
        return self.from_period <= str(period) and self.until is not None and self.until >= period.end

    @property
    def last_period(self) -> str | None:
        """The last month of which the case counts nowhere by it; None where it takes an earlier one back."""
        if self.until is None:
            return None
        month = Period.of(self.until)
        return str(month if self.until == month.end else month.previous())


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as one run left it."""

    run_id: str
    is_current: bool
    """Whether the run is the newest revision of its month."""
    period: str
    case_id: str
    rule: str
    aspect: str
    level: str
    institution_code: str
    short_name: str
    division_code: str | None
    subject: str
    measure: Decimal | None
    threshold: Decimal | None
    detail: str
    state: CaseState
    change: str
    """What the run did to it, as mart.case_state says."""
    first_period: str
    """When it was opened for the first time."""
    since_period: str
    """Since when it has lasted without a break."""
    times: int
    """How often it was opened."""
    decision: Decision | None
    """The newest of those that concern the month, also where it was taken after the run."""

    @property
    def is_decided_since(self) -> bool:
        """Whether ops have decided something that this run does not know yet, and the next one will."""
        by_decision = self.decision is not None and self.decision.sets_aside(Period.parse(self.period))
        return self.state is not CaseState.CLOSED and by_decision is not (self.state is CaseState.SET_ASIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHistory:
    """Everything that is known of a case."""

    case_id: str
    states: Sequence[Case]
    """Of every run that had it open, set aside or closed it, the oldest month first; of a month every revision."""
    decisions: Sequence[Decision]
    """The newest last."""


def list_cases(
    engine: Engine,
    *,
    period: Period | None = None,
    institution_code: str | None = None,
    rule: str | None = None,
    level: str | None = None,
    state: str | None = None,
) -> list[Case]:
    """The cases of a month (default: the newest that is assessed): open ones, those set aside, those that it closed.

    Raises:
        UsageError: there is no such institution, rule, level or state.
        RefusedError: the month has not been assessed.
    """
    with engine.connect() as connection:
        month = _assessed_month(connection, period)
        _require(institution_code, "an institution of the register", connection.execute(_INSTITUTIONS).scalars())
        _require(rule, "a rule that has opened a case", connection.execute(_RULES).scalars())
        _require(level, "a level", AlertLevel)
        _require(state, "a state of a case", CaseState)
        return _read(
            connection,
            period=month,
            institution_code=institution_code,
            rule=rule,
            level=level,
            state=state,
        )


def read_case(engine: Engine, case_id: str) -> CaseHistory:
    """The history of a case over the months and their revisions, and what was decided on it.

    Raises:
        UsageError: there is no such case.
    """
    with engine.connect() as connection:
        states = _read(connection, case_id=case_id)
        decisions = _read_decisions(connection, [case_id])
    if not states:
        raise UsageError(f"{case_id!r} is not a case; five-precisions cases list shows them.")
    return CaseHistory(case_id=case_id, states=states, decisions=decisions)


def set_aside(warehouse: Engine | Connection, case_id: str, *, reason: str, until: date, decided_by: str) -> Decision:
    """Set a case aside: from the next run on it counts nowhere, up to the last month that ends by `until`.

    A case that is set aside already gets the new reason and end date.

    Args:
        warehouse: Or a connection to it, whose transaction this becomes a part of.
        case_id: As `list_cases` gives it.
        reason: Why; the next inspector reads it.
        until: The last day on which it counts nowhere. A month counts as its last day does.
        decided_by: Who decided.

    Raises:
        UsageError: there is no such case, or the reason is empty or too long. Or the date lies before the end of the
            newest assessed month: no run would know of it.
        RefusedError: the data have closed the case.
    """
    said = reason_of(reason, "A case is set aside for a reason")
    with transaction(warehouse) as connection:
        newest = _newest_of(connection, case_id)
        if newest.state is CaseState.CLOSED:
            raise RefusedError(f"{case_id} was closed by the data of {newest.period}; there is nothing to set aside.")
        month = Period.parse(_assessed_month(connection, None))
        if until < month.end:
            raise UsageError(
                f"{until} lies in the past: {month} is assessed; a case is set aside until {month.end} or later."
            )
        return _decide(connection, case_id, month, until, said, decided_by)


def take_back(warehouse: Engine | Connection, case_id: str, *, reason: str, decided_by: str) -> Decision:
    """Take back that a case was set aside: from the next run on it counts again, if it still holds.

    Raises:
        UsageError: there is no such case, or the reason is empty or too long.
        RefusedError: no decision sets it aside in the newest assessed month or later.
    """
    said = reason_of(reason, "A decision is taken back for a reason")
    with transaction(warehouse) as connection:
        _newest_of(connection, case_id)
        month = Period.parse(_assessed_month(connection, None))
        decisions = _read_decisions(connection, [case_id])
        if not decisions or decisions[-1].until is None or decisions[-1].until < month.end:
            raise RefusedError(f"{case_id} is not set aside; there is nothing to take back.")
        return _decide(connection, case_id, month, None, said, decided_by)


def _assessed_month(connection: Connection, period: Period | None) -> str:
    newest: str | None = connection.execute(_NEWEST_MONTH).scalar()
    if newest is None:
        raise RefusedError("No month has been assessed; run: five-precisions assess PERIOD")
    if period is None:
        return newest
    assessed = text("select 1 from mart.current_run where period = :period")
    if connection.execute(assessed, {"period": str(period)}).first() is None:
        raise RefusedError(f"{period} has not been assessed; run: five-precisions assess {period}")
    return str(period)


def _require(word: str | None, what: str, known: Iterable[str]) -> None:
    if word is not None and word not in (there := sorted(known)):
        raise UsageError(f"{word!r} is not {what}; there are: {', '.join(there) or 'none'}.")


def _newest_of(connection: Connection, case_id: str) -> Case:
    """The case as the newest month that stands and knows it left it."""
    states = [each for each in _read(connection, case_id=case_id) if each.is_current]
    if not states:
        raise UsageError(f"{case_id!r} is not a case; five-precisions cases list shows them.")
    return states[-1]


def _decide(
    connection: Connection, case_id: str, month: Period, until: date | None, reason: str, decided_by: str
) -> Decision:
    connection.execute(
        load_statement("cases/record_decision"),
        {
            "case_id": case_id,
            "from_period": str(month),
            "until": until,
            "reason": reason,
            "decided_by": storable(decided_by),
        },
    )
    decision = _read_decisions(connection, [case_id])[-1]
    logger.info("Case %s: %s, decided by %s", case_id, until or "taken back", decision.decided_by)
    return decision


def _read(
    connection: Connection,
    *,
    case_id: str | None = None,
    period: str | None = None,
    institution_code: str | None = None,
    rule: str | None = None,
    level: str | None = None,
    state: str | None = None,
) -> list[Case]:
    wanted = {
        "case_id": None if case_id is None else storable(case_id),
        "period": period,
        "institution_code": institution_code,
        "rule": rule,
        "level": level,
        "state": state,
    }
    rows = connection.execute(load_statement("cases/states"), wanted).mappings().all()
    decided = {row["case_id"] for row in rows if row["decision_number"] is not None}
    decisions = {each.decision_number: each for each in _read_decisions(connection, sorted(decided))}
    return [_case(dict(row), decisions) for row in rows]


def _case(row: dict[str, Any], decisions: Mapping[int, Decision]) -> Case:
    decision = decisions.get(row.pop("decision_number"))
    return Case(**{**row, "state": CaseState(row["state"])}, decision=decision)


def _read_decisions(connection: Connection, case_ids: list[str]) -> list[Decision]:
    rows = connection.execute(load_statement("cases/decisions"), {"case_ids": [storable(each) for each in case_ids]})
    return [Decision(**row) for row in rows.mappings()]
