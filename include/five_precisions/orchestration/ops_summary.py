"""What ops have to look at when a run has ended, for one message a run (docs/outputs.md#what-ops-are-told)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from five_precisions.bulletin import describe_assessment, find_waiting
from five_precisions.delivery import LONGEST_UNSENT, Status, list_messages
from five_precisions.figures import months_left_behind
from five_precisions.housekeeping import LONGEST_PAUSE, Disk, Task, read_housekeeping
from five_precisions.intake import describe_failed, find_unknown_folders, read_status
from five_precisions.orchestration.restatement import requested_month
from five_precisions.orchestration.runtime import month_of, open_for_task, partition_key
from five_precisions.period import SHANGHAI
from five_precisions.register import describe_open_deadlines, find_undecided
from five_precisions.warehouse import read_clock

if TYPE_CHECKING:
    from airflow.sdk import Context

_MOST_KEYS = 5
"""Messages that a summary names; `outbox list` shows all."""


def summarize_collection(context: Context) -> list[str]:
    """Of a month that was closed: whose reports are missing or rejected, and what could not be checked or sent."""
    month = month_of(context)
    with open_for_task() as (engine, settings):
        missing: dict[str, list[str]] = {}
        for row in read_status(engine, month):
            if row.state in ("missing", "rejected"):
                missing.setdefault(f"{row.institution_code} {row.short_name}", []).append(f"{row.report} {row.state}")
        sentences = [f"{who}: {', '.join(reports)}." for who, reports in missing.items()]
        if sentences:
            sentences.append(f"{month} was closed without them; what comes now is late, and counts in a restatement.")
        sentences += describe_failed(engine, settings, month)
        return sentences + _describe_undelivered(engine, str(month))


def summarize_assessment(context: Context) -> list[str]:
    """Of a month that was assessed: who could not be ranked, grave cases, and what could not be sent."""
    month = month_of(context)
    with open_for_task() as (engine, _):
        return describe_assessment(engine, month) + _describe_undelivered(engine, str(month))


def summarize_bulletin(context: Context) -> list[str]:
    """Of a quarter's bulletin: what could not be delivered."""
    with open_for_task() as (engine, _):
        return _describe_undelivered(engine, partition_key(context))


def summarize_restatement(context: Context) -> list[str]:
    """Of a restatement: which later months still stand on the old figures, and what could not be sent."""
    month = requested_month(context)
    with open_for_task() as (engine, _):
        left = ", ".join(months_left_behind(engine, month))
        sentences = [
            f"{month} was restated after later months were computed from it; restate next, in this order: {left}."
        ]
        return sentences * bool(left) + _describe_undelivered(engine, str(month))


def summarize_day(_: Context) -> list[str]:
    """Of every morning: what lies there unread or unchecked, uncertain deadlines, and whatever waits."""
    with open_for_task() as (engine, settings):
        sentences = [each.sentence for each in find_unknown_folders(engine, settings)]
        sentences += describe_failed(engine, settings)
        sentences += describe_open_deadlines(engine, settings)
        sentences += [
            f"{each.code} {each.short_name}已不在机构名册（institutions.csv）中，仍按应报机构催报和考核：请重新写入名册"
            f"（已撤销的填写 closed_on），或执行 five-precisions register close {each.code} --on 日期 --reason 原因。"
            for each in find_undecided(engine)
        ]
        for draft in find_waiting(engine, settings, datetime.now(SHANGHAI).date()):
            if draft.is_overdue:
                sentences.append(
                    f"Draft {draft.draft} of {draft.quarter} has waited for a decision for {draft.workdays} working "
                    "days: see Required Actions in Airflow."
                )
        return sentences + _describe_undelivered(engine) + _describe_unsent(engine)


def summarize_housekeeping(_: Context) -> list[str]:
    """Of every night: disks that fill up, a backup that is old or lacks files, a restore that was not tried lately."""
    with open_for_task() as installation, installation.engine.connect() as connection:
        states = read_housekeeping(connection)
        now = read_clock(connection)
    sentences = []
    disk = states.get(Task.DISK)
    for each in disk.detail.get("disks", []) if disk else []:
        found = Disk(**each)
        if found.wants_room:
            sentences.append(f"{found.words()} Make room there.")
    backup = states.get(Task.BACKUP)
    if backup and backup.detail.get("lost"):
        sentences.append(
            f"{backup.detail['lost']} files that the delivery record names are missing in the archive, and in the "
            "backup; see: five-precisions verify"
        )
    for task, what in (Task.BACKUP, "backup was made"), (Task.RESTORE_TEST, "restore was tried"):
        state = states.get(task)
        if state is None or state.succeeded_at is None:
            sentences.append(f"No {what} yet.")
        elif now - state.succeeded_at > LONGEST_PAUSE:
            sentences.append(f"The last {what} on {state.succeeded_at.astimezone(SHANGHAI):%Y-%m-%d}.")
    return sentences


def _describe_undelivered(engine: Engine, period: str | None = None) -> list[str]:
    """Messages that failed or are in doubt, of a month or quarter or of all."""
    messages = list_messages(engine, period=period)
    # Where a mail stands in for it, that one counts.
    replaced = {message.fallback_of for message in messages}
    sentences = []
    for status, what in (Status.FAILED, "failed"), (Status.IN_DOUBT, "in doubt"):
        keys = [each.message_key for each in messages if each.status is status and each.message_key not in replaced]
        sentences += _count_messages(f"Messages {what}", keys)
    return sentences


def _describe_unsent(engine: Engine) -> list[str]:
    """Messages that have been waiting for too long to be sent at all."""
    since = datetime.now(SHANGHAI) - LONGEST_UNSENT
    messages = list_messages(engine, status=Status.PENDING)
    return _count_messages(
        "Messages unsent for a day", [each.message_key for each in messages if each.created_at < since]
    )


def _count_messages(what: str, keys: list[str]) -> list[str]:
    """A sentence that counts messages and names the first; none where there are none."""
    named = ", ".join(keys[:_MOST_KEYS]) + (", …" if len(keys) > _MOST_KEYS else "")
    return [f"{what}: {len(keys)} ({named}); see: five-precisions outbox list"] if keys else []
