"""The tasks of `daily_reminders`: post what is due today, and send it; tell ops of folders that nobody looks into."""

from __future__ import annotations

import logging

from five_precisions.delivery import Kind
from five_precisions.intake import find_strays, post_reminders
from five_precisions.orchestration.notices import tell_ops
from five_precisions.orchestration.runtime import opened
from five_precisions.orchestration.sending import send_due

logger = logging.getLogger(__name__)


def send_reminders() -> int:
    """Post the reminders that are due; send them, and those that the mail server refused before. How many are new."""
    with opened() as (engine, settings):
        keys = post_reminders(engine, settings)
        send_due(engine, settings, kind=Kind.REMINDER)
    return len(keys)


def report_strays() -> list[str]:
    """Tell ops, in one message, of folders in the inbox that are no open month or belong to nobody."""
    with opened() as (engine, settings):
        sentences = find_strays(engine, settings)
    for sentence in sentences:
        logger.warning(sentence)
    if sentences:
        tell_ops("folders in the inbox that nobody looks into", *sentences)
    return sentences
