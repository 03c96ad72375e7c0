"""The outbox: messages laid down in the transaction that causes them, and their state (docs/outputs.md#messages)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, text

from five_precisions.delivery.message import Kind, Message, Status
from five_precisions.errors import RefusedError, UsageError
from five_precisions.warehouse import load_statement, transaction
from five_precisions.warehouse.locks import Lock, try_to_hold

LONGEST_UNSENT: Final = timedelta(days=1)
"""How long a message may wait before ops hear of it: it is tried every hour, so something is wrong then."""
_HASH_DIGITS: Final = 8
_SERVICE: Final = re.compile(rf"[a-z0-9+.-]+#[0-9a-f]{{{_HASH_DIGITS}}}")

_KEEP_CONTENT = text("""
insert into notify.attachment (sha256, content) values (:sha256, :content) on conflict (sha256) do nothing
""")
_READ_STATUS = text("select status from notify.message where message_key = :key")
_MAKE_DUE = text("""
update notify.message set status = 'pending', due_at = now(), refusals = 0 where message_key = :key
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedMessage:
    """A message of the outbox without its contents."""

    message_key: str
    kind: Kind
    period: str
    recipient: str
    institution_code: str
    subject: str
    status: Status
    created_at: datetime
    due_at: datetime
    """When it is tried next, while it is pending."""
    sent_at: datetime | None
    attempts: int
    """How often it was handed over, resends included."""
    run_id: str | None
    reply: str | None
    """What came of the last attempt."""
    fallback_of: str | None
    """The message to another service that this mail stands in for."""


def recipient_of(address: str) -> str:
    """The recipient as the outbox names it: an email address, or an Apprise URL's scheme and hash.

    An Apprise URL may hold a token, which has no place in keys, headers, lists and logs.
    """
    scheme, is_service, _ = address.partition("://")
    if is_service:
        return f"{scheme.lower()}#{hashlib.sha256(address.encode()).hexdigest()[:_HASH_DIGITS]}"
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


def is_mail(recipient: str) -> bool:
    """Whether a recipient of the outbox is reached by mail, and not by an Apprise URL of its own."""
    return _SERVICE.fullmatch(recipient) is None


def message_key(message: Message) -> str:
    """What makes a message one: kind, period, recipient, edition. Posted a second time, it is the same message.

    The recipient is an institution's: one mailbox that serves two of them gets both their messages.
    """
    recipient = f"{message.institution_code}/{recipient_of(message.address)}"
    return f"{message.kind}/{message.period}/{recipient}/{message.edition}"


def post(connection: Connection, messages: Iterable[Message]) -> list[str]:
    """Lay messages into the outbox, in the caller's transaction: they are sent if, and only if, it is committed.

    Returns:
        The keys of those that are new. One whose key is there already is left as it is.
    """
    # Of two with one key, the first is posted.
    by_key: dict[str, Message] = {}
    for message in messages:
        by_key.setdefault(message_key(message), message)
    new = _insert(connection, by_key)
    contents: dict[str, bytes] = {}
    attached: list[dict[str, str | int]] = []
    for key in new:
        for ordinal, attachment in enumerate(by_key[key].attachments, 1):
            sha256 = hashlib.sha256(attachment.content).hexdigest()
            contents[sha256] = attachment.content
            attached.append({"message_key": key, "ordinal": ordinal, "name": attachment.name, "sha256": sha256})
    if attached:
        # In one order everywhere: two who keep the same contents at once wait for one another, and do not block.
        ordered = [{"sha256": sha256, "content": content} for sha256, content in sorted(contents.items())]
        connection.execute(_KEEP_CONTENT, ordered)
        connection.execute(load_statement("outbox/attach"), attached)
    return new


def _insert(connection: Connection, messages: Mapping[str, Message]) -> list[str]:
    """Keep the messages that are not there; the keys of these, in the order given."""
    if not messages:
        return []
    values = {
        "message_keys": list(messages),
        "kinds": [message.kind for message in messages.values()],
        "periods": [message.period for message in messages.values()],
        "recipients": [recipient_of(message.address) for message in messages.values()],
        "run_ids": [message.run_id for message in messages.values()],
        "institution_codes": [message.institution_code for message in messages.values()],
        "subjects": [message.subject for message in messages.values()],
        "htmls": [message.html for message in messages.values()],
    }
    posted = set(connection.execute(load_statement("outbox/post"), values).scalars())
    return [key for key in messages if key in posted]


def list_messages(
    engine: Engine, *, status: Status | None = None, period: str | None = None, kind: Kind | None = None
) -> list[PostedMessage]:
    """The outbox's messages, oldest first; all of them, or those of one status, period (month or quarter) or kind."""
    with engine.connect() as connection:
        rows = (
            connection.execute(load_statement("outbox/messages"), {"status": status, "period": period, "kind": kind})
            .mappings()
            .all()
        )
    return [PostedMessage(**{**row, "kind": Kind(row["kind"]), "status": Status(row["status"])}) for row in rows]


def resend(warehouse: Engine | Connection, key: str) -> None:
    """Make a message due now that failed, is in doubt, or waits; the delays between its attempts begin anew.

    Args:
        warehouse: Or a connection to it, whose transaction this becomes a part of.
        key: Of the message.

    Raises:
        UsageError: the outbox has no message of that key.
        RefusedError: it was sent, or is being handed over at this moment.
    """
    with transaction(warehouse) as connection:
        # A message in `sending` whose lock is free lost its sender: whoever resends it has decided the doubt.
        is_free = try_to_hold(connection, Lock.MESSAGE, key)
        status = connection.execute(_READ_STATUS, {"key": key}).scalar_one_or_none()
        if status is None:
            raise UsageError(f"The outbox has no message {key}; five-precisions outbox list shows the keys.")
        if status == Status.SENT:
            raise RefusedError(f"{key} was sent; no message is sent twice.")
        if not is_free:
            raise RefusedError(f"{key} is being handed over at this moment.")
        connection.execute(_MAKE_DUE, {"key": key})
