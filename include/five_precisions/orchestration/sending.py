"""Sending what the outbox holds, from a task: trouble with the mail server never undoes what the task has done."""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from five_precisions.delivery import Kind, Status, dispatch, list_messages
from five_precisions.errors import SetupError
from five_precisions.settings import Settings

logger = logging.getLogger(__name__)


def send_due(
    engine: Engine,
    settings: Settings,
    period: str | None = None,
    *,
    institution: str | None = None,
    kind: Kind | None = None,
) -> None:
    """Send messages that are due, all or those of a month or quarter, institution, kind; what is not sent stays."""
    keys = [
        message.message_key
        for status in (Status.PENDING, Status.SENDING)
        for message in list_messages(engine, status=status, period=period, kind=kind)
        if institution in (None, message.institution_code)
    ]
    if not keys:
        return
    try:
        dispatched = dispatch(engine, settings, keys=keys)
    except SetupError as error:
        logger.warning("%d messages wait in the outbox: %s", len(keys), error)
        return
    if len(keys) > 1 or dispatched.waiting:
        # Of each that was taken the dispatcher has logged a line.
        logger.info("Messages: %d sent, %d waiting", dispatched.sent, dispatched.waiting)
    if dispatched.failed or dispatched.in_doubt:
        logger.error("Messages: %d failed, %d in doubt; see outbox list", dispatched.failed, dispatched.in_doubt)
