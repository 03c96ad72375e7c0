"""Deadlines that were counted before the year's days off were announced (docs/intake.md#deadline)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from five_precisions.period import Period
from five_precisions.register.deadlines import deadline_of, last_day_of, load_holidays, years_unknown
from five_precisions.settings import Settings
from five_precisions.warehouse import load_statement

logger = logging.getLogger(__name__)

_READ = text("""
select deadline_at
from registry.period
where period = :period and not exists (select from intake.close where close.period = :period)
""")
# As whoever moves a deadline by hand: a close that is under way is waited for, and then the month is closed.
_LOCK = text("select from registry.period where period = :period for no key update")


def unannounced_words(period: Period, deadline_at: datetime, years: Sequence[int]) -> str:
    """What ops are told of a deadline that rests on statutory days off alone, and what ends that."""
    return (
        f"{'、'.join(map(str, years))}年放假安排尚未公布，"
        f"{period}报送期限按法定节假日推算为{last_day_of(deadline_at)}；"
        "公布后请更新 holidays.csv 或升级。"
    )


def follow_calendar(connection: Connection, settings: Settings, period: Period) -> None:
    """Move the deadline of an open month later where the calendar, as it is known now, says so; never earlier.

    Institutions were told the earlier day; whoever relied on it loses nothing by more time. A closed month keeps its
    own, and so does what ops have moved.
    """
    names = {"period": str(period)}
    stored: datetime | None = connection.execute(_READ, names).scalar_one_or_none()
    if stored is None:
        return
    deadline_at = deadline_of(period, load_holidays(settings))
    if deadline_at <= stored:
        return
    connection.execute(_LOCK, names)
    if connection.execute(load_statement("register/move_later"), {**names, "deadline_at": deadline_at}).rowcount:
        logger.info("%s报送期限按现行日历由%s顺延至%s", period, last_day_of(stored), last_day_of(deadline_at))


def describe_open_deadlines(engine: Engine, settings: Settings) -> list[str]:
    """What ops must know of the deadlines of months that are not closed, a sentence each.

    Those that rest on days whose arrangement is not announced, and those that would be earlier by now. A deadline that
    ops have moved for all rests on their decision, and is not named.
    """
    holidays = load_holidays(settings)
    sentences: list[str] = []
    with engine.connect() as connection:
        rows = connection.execute(load_statement("register/open_deadlines")).all()
    for name, deadline_at in rows:
        period = Period.parse(name)
        if years := years_unknown(period, holidays):
            sentences.append(unannounced_words(period, deadline_at, years))
        elif (counted := deadline_of(period, holidays)) < deadline_at:
            day = last_day_of(counted)
            sentences.append(
                f"{period}报送期限按现行日历应为{day}，早于已定的{last_day_of(deadline_at)}；已定期限不自动提前，"
                f"如需提前请执行 five-precisions deadline {period} {day} --reason 原因。"
            )
    return sentences
