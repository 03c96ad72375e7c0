"""The close of a month: what stands is frozen for its figures, and held against one another (spec/03, Its life)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError
from five_precisions.intake.deadlines import last_deadline
from five_precisions.intake.findings import Finding
from five_precisions.intake.ledger import Fact, fact_of, read_editions, read_findings, save_cross_check
from five_precisions.intake.recording import explained, lock_period
from five_precisions.intake.rules.checks import standing_findings
from five_precisions.intake.strays import require_usable
from five_precisions.intake.telling.receipt_files import OutboxError, write_receipt
from five_precisions.intake.telling.receipts import post_cross_receipt
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import open_period, read_register
from five_precisions.settings import Settings
from five_precisions.warehouse import read_clock

logger = logging.getLogger(__name__)

_EDITION: Final = "close"
"""Of what the close tells; a second, different one of the same month is `close-2`."""

_READ = text("""
select
    closed.closed_at,
    exists (select from mart.run where run.period = :period) as assessed
from (select) as one
left join intake.close as closed on closed.period = :period
""")
# After all that it freezes was recorded, even where the clock was set back in between.
_CLOSE = text("""
insert into intake.close (period, closed_at)
select :period, greatest(cast(:now as timestamptz), max(recorded_at))
from intake.submission
where period = :period
on conflict (period) do update set closed_at = greatest(close.closed_at, excluded.closed_at)
returning closed_at
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


def close(engine: Engine, settings: Settings, period: Period, *, replay: bool = False) -> Close:
    """Close a month: freeze the newest accepted version of every report and run the rules across them, in one go.

    A month closed and assessed stays as it is. One closed and not assessed is frozen anew, so that ops can get it
    going again with what came in meanwhile.

    Raises:
        UsageError: the period is not one that can be closed.
        RefusedError: its deadline has not passed, and this is no replay.
        OutboxError: the month is closed, and a receipt of what the close found could not be written; closing again
            writes it.
    """
    require_usable(settings, period)
    rendered: dict[str, bytes | None] = {}
    with engine.begin() as connection:
        open_period(connection, settings, period)
        lock_period(connection, period)
        found = connection.execute(_READ, {"period": str(period)}).one()
        closed_at = found.closed_at
        is_new = closed_at is None or not found.assessed
        if is_new:
            now = read_clock(connection)
            _require_over(connection, settings, period, now, replay=replay)
            closed_at = connection.execute(_CLOSE, {"period": str(period), "now": now}).scalar_one()
            connection.execute(_THAW, {"period": str(period)})
            connection.execute(_FREEZE, {"period": str(period)})
            rendered = _check_across(connection, settings, period)
        frozen = int(connection.execute(_COUNT, {"period": str(period)}).scalar_one())
        receipts = connection.execute(_READ_RECEIPTS, {"period": str(period)}).scalars().all()
    if is_new:
        logger.info("%s is closed with %d reports and %d cross checks", period, frozen, len(rendered))
    # Those of an earlier close too: it may have been ended before it wrote them, and nobody else looks at them again.
    _write_receipts(engine, settings, {number: rendered.get(number) for number in receipts})
    return Close(str(period), closed_at, frozen, tuple(rendered), is_new=is_new)


def _write_receipts(engine: Engine, settings: Settings, receipts: Mapping[str, bytes | None]) -> None:
    """Write each receipt that is not there; one that the outbox does not take keeps no other institution from its own.

    Raises:
        OutboxError: in the end, what the outbox said of the first that it did not take.
    """
    refused: list[OutboxError] = []
    for number, workbook in receipts.items():
        try:
            write_receipt(engine, settings, number, workbook)
        except OutboxError as error:
            logger.error("%s: %s", number, error)  # noqa: TRY400
            refused.append(error)
    if refused:
        raise refused[0]


def _require_over(connection: Connection, settings: Settings, period: Period, now: datetime, *, replay: bool) -> None:
    deadline = last_deadline(connection, period)
    if now < deadline and not (replay or settings.replay):
        last_day = (deadline.astimezone(SHANGHAI) - timedelta(microseconds=1)).strftime("%Y-%m-%d %H:%M")
        raise RefusedError(f"{period} cannot be closed before its deadline, {last_day} in Shanghai.")


def _check_across(connection: Connection, settings: Settings, period: Period) -> dict[str, bytes | None]:
    """Tell every institution what the rules across reports find of what is frozen: all of it, once (spec/03).

    Of a month frozen a second time only what is different is told anew, also that nothing is left of what was told.

    Returns:
        The receipt numbers, with the findings workbooks.
    """
    found = standing_findings(connection, read_register(connection), period, at_close=True)
    rendered: dict[str, bytes | None] = {}
    editions = read_editions(connection, period)
    for code in sorted({*found, *editions}):
        findings = found.get(code, [])
        closes = [edition for edition in editions.get(code, ()) if edition.startswith(_EDITION)]
        told = _facts(read_findings(connection, f"{period}-{code}-{closes[-1]}")) if closes else set()
        if told == _facts(findings):
            continue
        edition = f"{_EDITION}-{len(closes) + 1}" if closes else _EDITION
        with_answers = explained(connection, period, code, findings)
        cross_check = save_cross_check(connection, period, code, edition, with_answers)
        rendered[cross_check] = post_cross_receipt(connection, settings, cross_check)
    return rendered


def _facts(findings: Iterable[Finding]) -> set[Fact]:
    return {fact_of(finding) for finding in findings}
