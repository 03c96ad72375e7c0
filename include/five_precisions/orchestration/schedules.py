"""From when to when the monthly DAG runs, and when the daily and hourly ones do, as the settings say."""

from __future__ import annotations

from datetime import datetime, time

from airflow.sdk import CronTriggerTimetable

from five_precisions.period import SHANGHAI, Period
from five_precisions.settings import Settings


def first_run() -> datetime:
    """The run of the first month: midnight in Shanghai after it ends. Unset, the month before this one."""
    first = Settings.load().first_period or Period.current().previous()
    return _after(first)


def last_run() -> datetime | None:
    """The run of the last month, if there is a last one."""
    last = Settings.load().last_period
    return None if last is None else _after(last)


def cron_schedule(expression: str) -> CronTriggerTimetable | None:
    """When a DAG runs that goes by Shanghai's clock, as a cron expression; never in a replay, where no time passes."""
    return None if Settings.load().replay else CronTriggerTimetable(expression, timezone="Asia/Shanghai")


def _after(month: Period) -> datetime:
    return datetime.combine(month.next().begin, time(), SHANGHAI)
