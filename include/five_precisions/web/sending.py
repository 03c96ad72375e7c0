"""Messages that an action has posted: where the mail server is known they leave at once (docs/outputs.md#messages)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock

from sqlalchemy import Connection, Engine, text

from five_precisions.delivery import Message, dispatch, message_key
from five_precisions.errors import FivePrecisionsError
from five_precisions.settings import Settings

logger = logging.getLogger(__name__)
_one_at_a_time = Lock()

_POSTED = text("select message_key from notify.message where message_key = any(:keys)")


def not_posted(connection: Connection, messages: Sequence[Message]) -> list[Message]:
    """Those messages that the outbox does not hold yet."""
    keys = [message_key(message) for message in messages]
    posted = set(connection.execute(_POSTED, {"keys": keys}).scalars())
    return [message for message, key in zip(messages, keys, strict=True) if key not in posted]


def leaves_at_once(settings: Settings) -> bool:
    """Whether the API server knows the mail server; else the hourly DAG sends what is due."""
    return settings.mail is not None


def send(engine: Engine, settings: Settings, keys: Sequence[str]) -> None:
    """Send these messages, after the page has been answered. What fails is due again, or shown as failed."""
    # What a server answers is read from one log of the process (delivery/transport.py).
    with _one_at_a_time:
        try:
            dispatch(engine, settings, keys=keys)
        except FivePrecisionsError as error:
            logger.error("Messages wait in the outbox: %s", error)  # noqa: TRY400
