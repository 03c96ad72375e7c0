"""The close of a month: what stands is frozen for its figures (spec/03, Its life)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError
from five_precisions.intake.collection import read_deadline, require_usable
from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings

logger = logging.getLogger(__name__)

_LOCK_SPACE: Final = 5_201_902
_LOCK = text("select pg_advisory_xact_lock(:space, hashtext(:period))")
_READ = text("""
select
    closed.closed_at,
    exists (select from mart.run where run.period = :period) as assessed
from (select) as one
left join intake.close as closed on closed.period = :period
""")
_CLOSE = text("""
insert into intake.close (period, closed_at) values (:period, :closed_at)
on conflict (period) do update set closed_at = excluded.closed_at
""")
_THAW = text("delete from intake.frozen_report where period = :period")
_FREEZE = text("""
insert into intake.frozen_report (period, institution_code, report, submission_id)
select period, institution_code, report, submission_id
from intake.standing_report
where period = :period
""")
_COUNT = text("select count(*) from intake.frozen_report where period = :period")


@dataclass(frozen=True, slots=True)
class Close:
    """A closed month."""

    period: str
    closed_at: datetime
    frozen_reports: int
    is_new: bool
    """Whether it was frozen now; a month that is closed and assessed stays as it is."""


def close(engine: Engine, settings: Settings, period: Period, *, replay: bool = False) -> Close:
    """Close a month: freeze the newest accepted version of every report, in one transaction.

    A month closed and assessed stays as it is. One closed and not assessed is frozen anew, so that ops can get it
    going again with what came in meanwhile.

    Raises:
        UsageError: the period is not one that can be closed.
        RefusedError: its deadline has not passed, and this is no replay.
    """
    require_usable(settings, period)
    deadline = read_deadline(engine, settings, period)
    now = datetime.now(SHANGHAI)
    with engine.begin() as connection:
        connection.execute(_LOCK, {"space": _LOCK_SPACE, "period": str(period)})
        found = connection.execute(_READ, {"period": str(period)}).one()
        if found.closed_at is not None and found.assessed:
            return Close(str(period), found.closed_at, _count(connection, period), is_new=False)
        if now < deadline and not (replay or settings.replay):
            last_day = (deadline.astimezone(SHANGHAI) - timedelta(microseconds=1)).strftime("%Y-%m-%d %H:%M")
            raise RefusedError(f"{period} cannot be closed before its deadline, {last_day} in Shanghai.")
        connection.execute(_CLOSE, {"period": str(period), "closed_at": now})
        connection.execute(_THAW, {"period": str(period)})
        connection.execute(_FREEZE, {"period": str(period)})
        frozen = _count(connection, period)
    logger.info("%s is closed with %d reports", period, frozen)
    return Close(str(period), now, frozen, is_new=True)


def _count(connection: Connection, period: Period) -> int:
    return int(connection.execute(_COUNT, {"period": str(period)}).scalar_one())
