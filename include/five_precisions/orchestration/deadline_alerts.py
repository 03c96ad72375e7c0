"""Airflow's deadline alerts: ops hear of a monthly run that is late (docs/operations.md#a-run-that-is-late).

The scheduler works out when a run must be done as it makes the run (due_moments.py). What tells ops runs in the
triggerer, once that moment has passed.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy.exc
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from five_precisions.errors import FivePrecisionsError
from five_precisions.installation import open_installation
from five_precisions.intake import read_deadlines
from five_precisions.orchestration.due_moments import ReportingDeadline, RunMade
from five_precisions.orchestration.notices import notify_ops
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import is_closed
from five_precisions.settings import Settings
from five_precisions.warehouse import read_clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow.sdk.definitions.deadline import BaseDeadlineReference

logger = logging.getLogger(__name__)

AFTER_REPORTING: Final = timedelta(hours=6)
"""From the last deadline of a month to the message that it is not closed: closing takes minutes."""
OF_ASSESSMENT: Final = timedelta(hours=3)
"""From when an assessment is due to the message that it is not done: it takes minutes."""
_LONGEST_REST: Final = timedelta(hours=1)
"""Between two looks at a deadline that was moved."""


async def notify_of_open_month(context: dict[str, Any]) -> None:
    """Tell ops, once the last deadline is long past, that the run's month is not closed.

    Until then it waits, for deadlines move; a month that is closed meanwhile is told to nobody.

    Args:
        context: What Airflow says of the run.
    """
    month = Period.parse(context["dag_run"]["partition_key"])
    while (left := await asyncio.to_thread(_time_left, month)) is not None:
        if left <= timedelta(0):
            hours = _hours(AFTER_REPORTING)
            await asyncio.to_thread(_notify, context, f"{month} is not closed {hours} hours after its last deadline.")
            return
        await asyncio.sleep(min(left, _LONGEST_REST).total_seconds())


async def notify_of_late_run(context: dict[str, Any]) -> None:
    """Tell ops that a run is not done.

    Args:
        context: What Airflow says of the run.
    """
    await asyncio.to_thread(_notify, context, "It takes minutes when all is well.")


def alert_of_open_month() -> dict[str, Any]:
    """Has ops told of a month that is not closed hours after its deadline; to be unpacked into `DAG(…)`."""
    return _alert(
        f"截止{_hours(AFTER_REPORTING)}小时后仍未关闭", ReportingDeadline(), AFTER_REPORTING, notify_of_open_month
    )


def alert_of_late_assessment() -> dict[str, Any]:
    """Has ops told of an assessment that is not done hours after it was due; to be unpacked into `DAG(…)`."""
    name = f"{_hours(OF_ASSESSMENT)}小时后仍未完成"
    return _alert(name, RunMade(), OF_ASSESSMENT, notify_of_late_run)


def _alert(
    name: str, reference: BaseDeadlineReference, interval: timedelta, callback: Callable[..., Awaitable[None]]
) -> dict[str, Any]:
    # In a replay a month is worked off when its turn comes, long after its deadline.
    if Settings.load().replay:
        return {}
    return {
        "deadline": DeadlineAlert(reference=reference, interval=interval, callback=AsyncCallback(callback), name=name)
    }


def _time_left(month: Period) -> timedelta | None:
    """Until ops are told that the month is not closed; None where it is. Where nobody can say, they are told at once.

    A month without a deadline was not even opened.
    """
    try:
        with open_installation() as (engine, _), engine.connect() as connection:
            if is_closed(connection, month):
                return None
            deadlines = [each.deadline_at for each in read_deadlines(connection, month)]
            return max(deadlines) + AFTER_REPORTING - read_clock(connection) if deadlines else timedelta(0)
    except (FivePrecisionsError, sqlalchemy.exc.SQLAlchemyError) as error:
        logger.warning("Whether %s is closed cannot be looked up: %s", month, type(error).__name__)
        return timedelta(0)


def _hours(duration: timedelta) -> int:
    return duration // timedelta(hours=1)


def _notify(context: dict[str, Any], words: str) -> None:
    run, due = context["dag_run"], context["deadline"]["deadline_time"]
    if isinstance(due, str):
        due = datetime.fromisoformat(due)
    due_at = due.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    name = f"{run['dag_id']} {run['partition_key'] or ''}".strip()
    notify_ops(
        f"{name} is late",
        f"The run {run['dag_run_id']} of {name} was due by {due_at}; its state was {run['state']}. {words}",
        "Open it in Airflow. A red task's log says what to do. Where nothing is red, a row waits or is queued: look "
        "whether triggerer, scheduler and workers are up.",
    )
