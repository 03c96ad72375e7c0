"""The close of a month: what stands is frozen for its figures, and held against one another; and how it is taken back.

See docs/intake.md#close.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.collection.processes import map_by_several
from five_precisions.errors import RefusedError
from five_precisions.intake.deadlines import last_deadline, read_deadlines
from five_precisions.intake.findings import Finding
from five_precisions.intake.ledger import Fact, fact_of, read_editions, read_facts, save_cross_checks
from five_precisions.intake.recording import MOST_TAKEN_BACK, explained, lock_period
from five_precisions.intake.rules.checks import parameters_of, standing_findings
from five_precisions.intake.waiting import find_unrecorded
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.receipt_files import write_receipts
from five_precisions.receipts.receipt_workbooks import CrossWorkbooks, read_cross_findings
from five_precisions.receipts.receipts import post_cross_receipts
from five_precisions.register import Institution, first_month, first_open_month, open_period, read_register
from five_precisions.register.decision import reason_of, storable
from five_precisions.settings import PREFIX, Settings
from five_precisions.storage import shown_address
from five_precisions.warehouse import load_statement, read_clock
from five_precisions.warehouse.statistics import A_TENTH, analyze

logger = logging.getLogger(__name__)

_EDITION: Final = "close"
"""Of the receipts of a close; a second, different one of the same month is `close-2`."""

_WORTH_PROCESSES: Final = 50
"""Findings workbooks; for fewer, to load other processes takes longer than it saves."""
_MOST_NAMED: Final = 20
"""Institutions that a sentence names."""

# Whoever assesses the month, or one after it, holds the row too: the freeze does not change under a run being made.
_LOCK = text("select closed_at, forced_by, forced_reason from intake.close where period = :period for update")
_IS_ASSESSED = text("select exists (select from mart.run where period = :period)")
_REOPEN = text("delete from intake.close where period = :period")
_RECORD_REOPENING = text("""
insert into intake.reopening (period, closed_at, forced_by, forced_reason, reason, reopened_by)
values (:period, :closed_at, :forced_by, :forced_reason, :reason, :reopened_by)
returning period, closed_at, reason, reopened_by, reopened_at
""")
_THAW = text("delete from intake.frozen_report where period = :period")
_FREEZE = text("""
insert into intake.frozen_report (period, institution_code, report, submission_id)
select period, institution_code, report, submission_id
from intake.standing_report
where period = :period
""")
_READ_RECEIPTS = text("""
select submission_id from intake.cross_check where period = :period and edition like 'close%' order by submission_id
""")
_COUNT = text("select count(*) from intake.frozen_report where period = :period")


class PackagesWaitingError(RefusedError):
    """Complete packages lie in the inbox, without which the month would be closed."""

    def __init__(self, period: Period, institutions: Sequence[Institution], *, replay: bool) -> None:
        self.institutions = tuple(institutions)
        named = ", ".join(f"{each.code} {each.short_name}" for each in self.institutions[:_MOST_NAMED])
        more = len(self.institutions) - _MOST_NAMED
        super().__init__(
            f"{period} cannot be closed while packages of {named}{f' and {more} more' * (more > 0)} wait in the inbox; "
            f"take them in: five-precisions collect {period}{' --replay' * replay}; or close without them: "
            f"five-precisions close {period}{' --replay' * replay} --force --reason TEXT"
        )


@dataclass(frozen=True, slots=True)
class Force:
    """Somebody's decision to close a month although packages wait for it."""

    decided_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Close:
    """A closed month."""

    period: str
    closed_at: datetime
    frozen_reports: int
    cross_checks: tuple[str, ...]
    """Receipt numbers of what the rules across reports and institutions have found now."""
    is_new: bool
    """Whether it was frozen now; a month that is closed and assessed stays as it is."""
    forced_by: str | None
    """Who closed it although packages waited; None where nobody had to."""
    forced_reason: str | None


@dataclass(frozen=True, slots=True)
class Reopening:
    """A close that was taken back."""

    period: str
    closed_at: datetime
    """When the month had been closed."""
    reason: str
    reopened_by: str
    reopened_at: datetime


def close(
    engine: Engine,
    settings: Settings,
    period: Period,
    *,
    replay: bool = False,
    force: Force | None = None,
    in_time_only: bool = False,
    processes: int = 1,
) -> Close:
    """Close a month: freeze the newest accepted version of every report and run the rules across them, in one go.

    A month closed and assessed stays as it is. One closed and not assessed is frozen anew, so that ops can get it
    going again with what came in meanwhile.

    Args:
        engine: Of the warehouse.
        settings: Of this installation.
        period: The month.
        replay: Whether it may be closed before its deadline, and the files of what is on record lie in the inbox still.
        force: Why it is closed whatever waits in the inbox, which then is not looked into. Kept on record; a month that
            was closed so is frozen anew without asking again.
        in_time_only: Whether only those packages keep it open that were there by their institution's deadline.
        processes: How many make findings workbooks, where there are many; each imports the main module of the program,
            which must not start anything then.

    Raises:
        UsageError: the period is not one that can be closed, or there is no reason.
        RefusedError: nobody owes a report for it, or it has not ended. Or its deadline has not passed and this is no
            replay. Or the month before is not closed, or nothing says that the records begin with it.
        PackagesWaitingError: complete packages of the month wait in the inbox.
        UnreachableError: the inbox does not answer.
        OutboxError: the month is closed, and a receipt of what the close found could not be written; closing again
            writes it.
    """
    settings.require_usable(period)
    replay = replay or settings.replay
    forced: dict[str, str | None] = {"forced_by": None, "forced_reason": None}
    if force is not None:
        said = reason_of(force.reason, "A month is closed by force for a reason")
        forced = {"forced_by": storable(force.decided_by), "forced_reason": said}
    # Before the month is locked for good: who records a package meanwhile need not wait until all folders are looked
    # into.
    with engine.begin() as connection:
        now = read_clock(connection)
        open_period(connection, settings, period)
        state = _lock(connection, settings, period, now, replay=replay)
        deadlines = {each.institution_code: each.deadline_at for each in read_deadlines(connection, period)}
    if state.is_frozen_anew and state.forced_by is None and force is None:
        until = deadlines if in_time_only else {}
        waiting = find_unrecorded(engine, settings, period, replay=replay, until=until)
        if waiting:
            raise PackagesWaitingError(period, waiting, replay=replay)
    if state.is_frozen_anew:
        # What stands was recorded a moment ago; uncounted, the rules across reports join it as one version.
        with engine.begin() as connection:
            for table in ("intake.submission", "intake.report"):
                analyze(connection, table, target=A_TENTH)
    workbooks = CrossWorkbooks(settings, map_by_several(processes, read_cross_findings.__module__, _WORTH_PROCESSES))
    with engine.begin() as connection:
        lock = partial(_lock, connection, settings, period, now, replay=replay)
        state, rendered = _freeze(connection, settings, period, forced, lock, workbooks)
        frozen = int(connection.execute(_COUNT, {"period": str(period)}).scalar_one())
        receipts = connection.execute(_READ_RECEIPTS, {"period": str(period)}).scalars().all()
    if state.is_frozen_anew:
        logger.info("%s is closed with %d reports and %d cross checks", period, frozen, len(rendered))
    # Those of an earlier close too: it may have been ended before it wrote them, and nobody else looks at them again.
    write_receipts(engine, settings, {number: rendered.get(number) for number in receipts})
    return Close(
        str(period),
        state.closed_at or now,
        frozen,
        tuple(rendered),
        is_new=state.is_frozen_anew,
        forced_by=state.forced_by,
        forced_reason=state.forced_reason,
    )


def _freeze(
    connection: Connection,
    settings: Settings,
    period: Period,
    forced: Mapping[str, str | None],
    lock: Callable[[], _MonthState],
    workbooks: CrossWorkbooks,
) -> tuple[_MonthState, dict[str, bytes | None]]:
    """Freeze the month, record what the rules across reports find of it, and lay down the receipts.

    Where workbooks are missing all is taken back, the lock with it, they are made, and it is done once more: nobody who
    records a package of the month waits for workbooks.

    Returns:
        How the month stands, and the findings workbooks of new receipts by number.
    """
    may_take_back = MOST_TAKEN_BACK
    checked: _Checked | None = None
    while True:
        attempt = connection.begin_nested()
        state = lock()
        if not state.is_frozen_anew:
            attempt.commit()
            return state, {}
        names = {"period": str(period), "now": read_clock(connection), **forced}
        state = replace(state, **connection.execute(load_statement("collection/close"), names).mappings().one())
        connection.execute(_THAW, {"period": str(period)})
        connection.execute(_FREEZE, {"period": str(period)})
        checked = _check_across(connection, period, checked)
        found = read_cross_findings(connection, _report(connection, period, checked))
        if workbooks.are_made(found) or not may_take_back:
            rendered = post_cross_receipts(connection, settings, found, workbooks)
            attempt.commit()
            return state, rendered
        attempt.rollback()
        may_take_back -= 1
        workbooks.made(found)


def reopen(engine: Engine, period: Period, reason: str, reopened_by: str) -> Reopening:
    """Take back the close of a month that has not been assessed, also where later months are closed.

    Receipts and findings of the close stay on record, and so does the close itself. A month closed by mistake, before
    the records begin, then keeps nobody waiting any more.

    Args:
        engine: Of the warehouse.
        period: The month.
        reason: Why; it stays on record.
        reopened_by: Who decided so.

    Raises:
        UsageError: there is no reason, or it is too long.
        RefusedError: the month is not closed, or it has been assessed.
    """
    said = reason_of(reason, "A month is reopened for a reason")
    with engine.begin() as connection:
        lock_period(connection, period)
        state = _read_state(connection, period)
        if state.closed_at is None:
            raise RefusedError(f"{period} is not closed, so there is nothing to reopen.")
        if state.is_assessed:
            raise RefusedError(
                f"{period} has been assessed, and what is announced stands; to correct it: "
                f"five-precisions restate {period} --reason TEXT"
            )
        connection.execute(_THAW, {"period": str(period)})
        connection.execute(_REOPEN, {"period": str(period)})
        names = {
            "period": str(period),
            "closed_at": state.closed_at,
            "forced_by": state.forced_by,
            "forced_reason": state.forced_reason,
            "reason": said,
            "reopened_by": storable(reopened_by),
        }
        recorded = connection.execute(_RECORD_REOPENING, names).mappings().one()
    logger.info("%s is open again: %s", period, said)
    return Reopening(**recorded)


@dataclass(frozen=True, slots=True)
class _MonthState:
    """How a month stands before it is closed."""

    closed_at: datetime | None
    forced_by: str | None
    forced_reason: str | None
    is_assessed: bool

    @property
    def is_frozen_anew(self) -> bool:
        """Whether a close has anything to do."""
        return self.closed_at is None or not self.is_assessed


def _lock(connection: Connection, settings: Settings, period: Period, now: datetime, *, replay: bool) -> _MonthState:
    """Lock the month, and refuse one that cannot be closed."""
    lock_period(connection, period)
    state = _read_state(connection, period)
    if state.is_frozen_anew:
        _require_owed(connection, period)
        _require_over(connection, period, now, replay=replay)
        _require_turn(connection, settings, period)
    return state


def _read_state(connection: Connection, period: Period) -> _MonthState:
    names = {"period": str(period)}
    found = connection.execute(_LOCK, names).mappings().one_or_none()
    # Only now: a run that was being made while we waited for the row is known to this look.
    is_assessed = bool(connection.execute(_IS_ASSESSED, names).scalar_one())
    return _MonthState(**found, is_assessed=is_assessed) if found else _MonthState(None, None, None, is_assessed)


def _require_owed(connection: Connection, period: Period) -> None:
    """Refuse a month for which nobody owes anything: it would be closed empty, and keep the later ones waiting."""
    register = read_register(connection)
    if not register.obligations:
        raise RefusedError(
            f"{period} cannot be closed: nobody owes a report, for the register has no obligations; complete "
            "obligations.csv and run: five-precisions init"
        )
    if not any(each.holds_in(period) for each in register.obligations):
        raise RefusedError(
            f"{period} cannot be closed: obligations.csv has no report that is owed for it; if the month is right, "
            "mend from and until there and run: five-precisions init"
        )
    if not any(register.owed_by(institution, period) for institution in register.open_in(period)):
        raise RefusedError(
            f"{period} cannot be closed: no institution that owes a report was open in it; if the month is right, mend "
            "institutions.csv, or from_month in obligations.csv, and run: five-precisions init"
        )


def _require_over(connection: Connection, period: Period, now: datetime, *, replay: bool) -> None:
    deadline = last_deadline(connection, period)
    if now < deadline and not replay:
        last_day = (deadline.astimezone(SHANGHAI) - timedelta(microseconds=1)).strftime("%Y-%m-%d %H:%M")
        raise RefusedError(f"{period} cannot be closed before its deadline, {last_day} in Shanghai.")
    if now.astimezone(SHANGHAI).date() <= period.end:
        raise RefusedError(f"{period} cannot be closed before it has ended, on {period.end} in Shanghai.")


def _require_turn(connection: Connection, settings: Settings, period: Period) -> None:
    """Refuse a month out of its turn: a mistyped one would be closed empty, and keep the others waiting."""
    first = first_month(connection, settings)
    if first is None:
        raise RefusedError(
            f"{period} cannot be closed: no delivery of any month is on record, so it may be a slip; lay its packages "
            f"into the inbox {shown_address(settings.inbox_address)} and run: five-precisions collect {period}; or "
            f"name the first month by {PREFIX}FIRST_PERIOD"
        )
    if period < first:
        raise RefusedError(
            f"{period} cannot be closed: it lies before {first}, the first month of which a delivery is on record; if "
            f"the records begin earlier, name the first month by {PREFIX}FIRST_PERIOD"
        )
    before = first_open_month(connection, first, period)
    if before is not None:
        raise RefusedError(
            f"{period} cannot be closed before {before}, for months are closed in order; run: five-precisions close "
            f"{before}; or, if the records begin later, name the first month by {PREFIX}FIRST_PERIOD"
        )


@dataclass(frozen=True, slots=True)
class _Checked:
    """What the rules across reports find of what is frozen."""

    rests_on: object
    """While this is the same, so is what the rules find."""
    findings: Mapping[str, Sequence[Finding]]
    """By institution."""
    checked_at: datetime


def _check_across(connection: Connection, period: Period, earlier: _Checked | None) -> _Checked:
    """Run the rules across reports; what they have found earlier, where nothing has been recorded since."""
    register = read_register(connection)
    compared_with = connection.execute(load_statement("intake/compared_with"), parameters_of(period)).scalar_one()
    rests_on = (register, compared_with)
    if earlier is not None and earlier.rests_on == rests_on:
        return earlier
    found = standing_findings(connection, register, period, at_close=True)
    return _Checked(rests_on, found, read_clock(connection))


def _report(connection: Connection, period: Period, checked: _Checked) -> list[str]:
    """Record for every institution what was found of what is frozen, once (docs/intake.md#close).

    Of a month frozen a second time only what is different is reported, also that nothing is left of what was reported.

    Returns:
        The receipt numbers.
    """
    found = checked.findings
    closes = {
        code: [edition for edition in own if edition.startswith(_EDITION)]
        for code, own in read_editions(connection, period).items()
    }
    newest = {code: f"{period}-{code}-{own[-1]}" for code, own in closes.items() if own}
    reported = read_facts(connection, list(newest.values()))
    different = {
        code: found.get(code, [])
        for code in sorted({*found, *closes})
        if reported.get(newest.get(code, ""), set()) != _facts(found.get(code, []))
    }
    checks = {
        (code, f"{_EDITION}-{len(closes[code]) + 1}" if closes.get(code) else _EDITION): findings
        for code, findings in explained(connection, period, different).items()
    }
    return save_cross_checks(connection, period, checks, checked.checked_at)


def _facts(findings: Iterable[Finding]) -> set[Fact]:
    return {fact_of(finding) for finding in findings}
