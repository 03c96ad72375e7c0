"""The tasks of `daily_reminders`: post what is due today, and send it."""

from __future__ import annotations

from five_precisions.delivery import Kind
from five_precisions.orchestration.runtime import open_for_task
from five_precisions.orchestration.sending import send_due
from five_precisions.receipts import post_reminders


def send_reminders() -> int:
    """Post the reminders that are due; send them, and those that the mail server refused before. How many are new."""
    with open_for_task() as (engine, settings):
        keys = post_reminders(engine, settings)
        send_due(engine, settings, kind=Kind.REMINDER)
    return len(keys)
